/** Generates many sequences at once. All rows share each forward pass, which makes extra samples cheap. */

import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import type { Random } from "../random.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import {
  checkPrompts,
  checkTokenCount,
  type EndReason,
  type GenerateOptions,
  newestHalf,
  OVERFLOWS,
  positionsNeeded,
} from "./generate.ts";
import { nextLogitsOfRows } from "./logits.ts";
import { checkSampleSettings } from "./settings.ts";
import { type Choice, choose } from "./strategies.ts";
import { TokenHistory } from "./token-history.ts";

export interface BatchOptions extends Pick<GenerateOptions, "tokens" | "settings" | "overflow"> {
  /** The number of continuations per prompt. */
  readonly samples: number;
  /**
   * Creates the generator for a sample, 0 … samples−1; must return a new one on each call. A sample depends on nothing
   * else, so its tokens do not depend on the other rows.
   */
  readonly random: (sample: number) => Random;
  /** Called after each token of each row; true ends the row. */
  readonly stop?: (token: number, row: number) => boolean;
}

/** A token of one row: sample `row % samples` of prompt ⌊row / samples⌋. */
export interface RowChoice {
  readonly row: number;
  readonly choice: Choice;
}

interface Row {
  readonly row: number;
  /** The prompt and the generated tokens. */
  readonly sequence: TokenHistory;
  readonly random: Random;
}

/**
 * Continues several prompts, which may have different lengths. Each row is identical to the output of `generate` for
 * that prompt alone, bit for bit. A prompt is read once for all its samples, finished rows leave the cache, and each
 * row slides when its context is full.
 *
 * @param prompts at least one token id each
 * @returns       why each row ended, as the generator's return value
 * @throws SampleError for an empty prompt (with its number) or settings out of range
 * @throws LogitsError if no token can be chosen, for example because the model's weights are not finite
 * @throws TokenError if a prompt contains an id outside the vocabulary
 * @example
 * const prompts = ["Once", "The king"].map((text) => tokenizer.encode(text));
 * const rows = generateBatch(model, prompts, {
 *   tokens: 50,
 *   samples: 2,
 *   settings: PLAIN_SAMPLING,
 *   random: (sample) => Random.of(1337, "sample", sample),
 *   overflow: "slide",
 * });
 * for await (const { row, choice } of rows) console.log(row, tokenizer.decode([choice.token]));
 */
export async function* generateBatch(
  model: GPT,
  prompts: readonly ArrayLike<number>[],
  options: BatchOptions,
): AsyncGenerator<RowChoice, EndReason[], void> {
  checkTypes("generateBatch", { options }, { options: "object" });
  checkBatch(model, prompts, options);
  const { tokens, settings, overflow, samples, random, stop } = options;
  const { contextLength } = model.config;
  const ended: EndReason[] = new Array(prompts.length * samples).fill("length");
  if (tokens === 0 || ended.length === 0) return ended;
  const longest = prompts.reduce((length, prompt) => Math.max(length, prompt.length), 0);
  const cache = model.makeCache(prompts.length, positionsNeeded(contextLength, longest, tokens));
  try {
    const promptOf = (row: number) => Math.floor(row / samples);
    const newest = prompts.map((prompt) => Array.from(prompt).slice(-contextLength));
    const read = await nextLogitsOfRows(model, cache, newest);
    let rows: Row[] = Array.from(ended, (_, row) => ({
      row,
      sequence: new TokenHistory(prompts[promptOf(row)]),
      random: random(row % samples),
    }));
    cache.select(rows.map(({ row }) => promptOf(row)));
    let logits = rows.map(({ row }) => read[promptOf(row)]);

    for (let count = 1; ; count++) {
      /** The cache rows of the sequences that continue. */
      const staying: number[] = [];
      for (const [place, { row, sequence, random }] of rows.entries()) {
        const choice = choose(logits[place], sequence, settings, random);
        yield { row, choice };
        sequence.push(choice.token);
        const full = cache.lengths[place] === contextLength;
        if (stop?.(choice.token, row)) ended[row] = "stop";
        else if (count < tokens && full && overflow === "stop") ended[row] = "context";
        else if (count < tokens) staying.push(place);
      }
      if (staying.length === 0) return ended;

      cache.select(staying);
      rows = staying.map((place) => rows[place]);
      const unread = rows.map(({ sequence }, place) => {
        if (cache.lengths[place] < contextLength) return sequence.slice(-1);
        cache.clearRow(place);
        return newestHalf(sequence, contextLength);
      });
      logits = await nextLogitsOfRows(model, cache, unread);
    }
  } finally {
    cache.free();
  }
}

function checkBatch(
  model: GPT,
  prompts: readonly ArrayLike<number>[],
  { tokens, settings, samples, random, overflow, stop }: BatchOptions,
): void {
  checkTypes("generateBatch", { random, stop }, { random: "function", stop: "function?" });
  checkChoice("overflow", overflow, OVERFLOWS);
  checkTokenCount(tokens);
  checkSampleSettings(settings);
  checkSampleCount(samples);
  checkPrompts(model, prompts);
}

/** @throws SampleError unless `samples` is an integer ≥ 1 */
export function checkSampleCount(samples: number): void {
  if (Number.isSafeInteger(samples) && samples >= 1) return;
  throw new SampleError(`\`samples\` must be a whole number ≥ 1: got ${samples}`);
}
