/** Generates tokens from a prompt, one at a time. */

import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { checkIds } from "../ops/embedding.ts";
import type { Random } from "../random.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import { nextLogits } from "./logits.ts";
import { checkSampleSettings, type SampleSettings } from "./settings.ts";
import { type Choice, choose } from "./strategies.ts";
import { TokenHistory } from "./token-history.ts";

export interface GenerateOptions {
  /** The maximum number of tokens to generate. */
  readonly tokens: number;
  readonly settings: SampleSettings;
  readonly random: Random;
  /**
   * What to do when the context is full. "stop" ends the generation. "slide" drops all but the newest half, reads that
   * half again as if the sequence began there, and continues.
   */
  readonly overflow: Overflow;
  /** Called after each token; true ends the generation, as for a stop string (`TextStream`). */
  readonly stop?: (token: number) => boolean;
}

export const OVERFLOWS = ["stop", "slide"] as const;
export type Overflow = (typeof OVERFLOWS)[number];

/**
 * Why a generation ended: it reached the token limit, the context was full, or `stop` returned true. A text can also
 * end with its document (`TextStream`).
 */
export type EndReason = "length" | "context" | "stop" | "end";

/**
 * Continues a prompt. The prompt takes one forward pass, and so does each token, over a single position.
 *
 * The model sees the newest `contextLength` tokens, so the start of a longer prompt is cut off. One token can still be
 * chosen after a full context, so "stop" yields at most contextLength − prompt length + 1 tokens, and exactly one if
 * the prompt fills the context. The repetition rules see every token.
 *
 * Other work may use the model's context between tokens. Leaving the loop early (`break`) also frees the cache.
 *
 * @param prompt at least one token id
 * @returns      why it ended, as the generator's return value
 * @throws SampleError for an empty prompt or settings out of range
 * @throws LogitsError if no token can be chosen, for example because the model's weights are not finite
 * @throws TokenError if the prompt contains an id outside the vocabulary
 * @example
 * const settings = { ...PLAIN_SAMPLING, temperature: 0.8 };
 * const options = { tokens: 50, settings, random: Random.of(1337), overflow: "slide" } as const;
 * for await (const { token } of generate(model, tokenizer.encode("Once"), options)) ids.push(token);
 */
export async function* generate(
  model: GPT,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
): AsyncGenerator<Choice, EndReason, void> {
  checkTypes("generate", { options }, { options: "object" });
  const { tokens, settings, random, overflow, stop } = options;
  checkTypes("generate", { random, stop }, { random: ["uniform"], stop: "function?" });
  checkChoice("overflow", overflow, OVERFLOWS);
  checkTokenCount(tokens);
  checkSampleSettings(settings);
  checkPrompts(model, [prompt]);
  const { contextLength } = model.config;
  const sequence = new TokenHistory(prompt);
  const cache = model.makeCache(1, positionsNeeded(contextLength, prompt.length, tokens));
  try {
    let unread = sequence.slice(-contextLength);
    for (let count = 0; count < tokens; count++) {
      if (cache.length + unread.length > contextLength) {
        if (overflow === "stop") return "context";
        cache.clear();
        unread = newestHalf(sequence, contextLength);
      }
      const logits = await nextLogits(model, cache, unread);
      const choice = choose(logits, sequence, settings, random);
      yield choice;
      if (stop?.(choice.token)) return "stop";
      sequence.push(choice.token);
      unread = [choice.token];
    }
    return "length";
  } finally {
    cache.free();
  }
}

/** The cache positions for a prompt and the tokens that follow it: a long context is mostly left empty. */
export function positionsNeeded(contextLength: number, promptLength: number, tokens: number): number {
  return Math.min(contextLength, promptLength + tokens);
}

/** The tokens that "slide" keeps when the context is full. */
export function newestHalf(sequence: Pick<TokenHistory, "slice">, contextLength: number): number[] {
  return sequence.slice(-Math.ceil(contextLength / 2));
}

/** @throws SampleError unless `tokens` is an integer ≥ 0 */
export function checkTokenCount(tokens: number): void {
  if (Number.isSafeInteger(tokens) && tokens >= 0) return;
  throw new SampleError(`tokens to generate must be a whole number ≥ 0: got ${tokens}`);
}

/**
 * Checks prompts. If there are several, messages include the prompt's number.
 *
 * @throws SampleError for the first empty prompt
 * @throws TokenError for the first id outside the vocabulary
 */
export function checkPrompts(model: GPT, prompts: readonly ArrayLike<number>[]): void {
  checkTypes("sample", { model, prompts }, { model: ["config", "makeCache"], prompts: "array" });
  for (const [i, prompt] of prompts.entries()) {
    const name = prompts.length === 1 ? "prompt" : `prompt ${i + 1} of ${prompts.length}`;
    checkTypes("sample", { prompt }, { prompt: "numbers" });
    if (prompt.length === 0) {
      const what = prompts.length === 1 ? "the prompt" : name;
      throw new SampleError(`${what} is empty: give at least one token for the model to continue`);
    }
    checkIds(name, prompt, 0, model.config.vocabSize);
  }
}
