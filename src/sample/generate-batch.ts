/**
 * Generating many sequences at once: prompts and settings enter; tokens leave as they are chosen, row by row. One pass
 * serves every row, so many samples cost little more time than one.
 */
import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import type { Random } from "../random.ts";
import {
  checkPrompts,
  checkTokenCount,
  type EndReason,
  type GenerateOptions,
  newestHalf,
} from "./generate.ts";
import { nextLogitsOfRows } from "./logits.ts";
import { checkSampleSettings } from "./settings.ts";
import { type Choice, choose } from "./strategies.ts";

export interface BatchOptions extends Pick<GenerateOptions, "tokens" | "settings" | "overflow"> {
  /** How many continuations each prompt gets. */
  readonly samples: number;
  /**
   * The randomness of a prompt's sample, 0 … samples−1; a generator of its own for each call. A sample depends on
   * nothing else, so it has the same bits whatever stands beside it.
   */
  readonly random: (sample: number) => Random;
  /** Asked after each token of each row: true ends the row there. */
  readonly stop?: (token: number, row: number) => boolean;
}

/** A token of one row: sample `row % samples` of prompt ⌊row / samples⌋. */
export interface RowChoice {
  readonly row: number;
  readonly choice: Choice;
}

interface Row {
  readonly row: number;
  /** The prompt and what was generated. */
  readonly sequence: number[];
  readonly random: Random;
}

/**
 * Continues prompts, of unequal lengths too. Each row has the bits that `generate` gives it alone: what differs is
 * only that rows share a pass. A prompt is read once for all its samples, rows that are done leave the cache, and
 * each slides when its own context is full.
 *
 * @param prompts at least one token id each
 * @returns       why each row ended, as the generator's return value
 * @throws SampleError for a prompt that is empty, by its number, or settings out of range
 * @throws LogitsError when no token can be chosen, as when the model's weights are not finite
 * @throws TokenError when a prompt holds an id outside the vocabulary
 */
export async function* generateBatch(
  model: GPT,
  prompts: readonly ArrayLike<number>[],
  options: BatchOptions,
): AsyncGenerator<RowChoice, EndReason[], void> {
  checkBatch(model, prompts, options);
  const { tokens, settings, overflow, samples, random, stop } = options;
  const { contextLength } = model.config;
  const ended: EndReason[] = new Array(prompts.length * samples).fill("length");
  if (tokens === 0 || ended.length === 0) return ended;
  const cache = model.makeCache(prompts.length);
  try {
    const promptOf = (row: number) => Math.floor(row / samples);
    const newest = prompts.map((prompt) => Array.from(prompt).slice(-contextLength));
    const read = await nextLogitsOfRows(model, cache, newest);
    let rows: Row[] = Array.from(ended, (_, row) => ({
      row,
      sequence: Array.from(prompts[promptOf(row)]),
      random: random(row % samples),
    }));
    cache.select(rows.map(({ row }) => promptOf(row)));
    let logits = rows.map(({ row }) => read[promptOf(row)]);

    for (let count = 1; ; count++) {
      /** Places in the cache of the rows that go on. */
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
  { tokens, settings, samples }: BatchOptions,
): void {
  checkTokenCount(tokens);
  checkSampleSettings(settings);
  checkSampleCount(samples);
  checkPrompts(model, prompts);
}

/** @throws SampleError for what is no number of samples */
export function checkSampleCount(samples: number): void {
  if (Number.isSafeInteger(samples) && samples >= 1) return;
  throw new SampleError(`\`samples\` must be a whole number ≥ 1: got ${samples}`);
}
