/** Generating: a model, a prompt and settings enter; tokens leave one by one, as they are chosen. */
import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { checkIds } from "../ops/embedding.ts";
import type { Random } from "../random.ts";
import { nextLogits } from "./logits.ts";
import { checkSampleSettings, type SampleSettings } from "./settings.ts";
import { type Choice, choose } from "./strategies.ts";

export interface GenerateOptions {
  /** How many tokens to generate at most. */
  readonly tokens: number;
  readonly settings: SampleSettings;
  readonly random: Random;
  /**
   * What to do when the context is full. "stop" ends. "slide" forgets all but the newest half, reads that half
   * again as if the sequence began there, and goes on.
   */
  readonly overflow: Overflow;
  /** Asked after each token: true ends the generation there, as a stop string does (`TextStream`). */
  readonly stop?: (token: number) => boolean;
}

export type Overflow = "stop" | "slide";

/** Why a generation ended: as many tokens as were asked for, the context was full, or it was told to stop. */
export type EndReason = "length" | "context" | "stop";

/**
 * Continues a prompt. The prompt is one pass, each further token one more over a single position.
 *
 * The model sees `contextLength` tokens: of a longer prompt, the newest that fit. The token after a full context
 * can still be chosen, so "stop" gives contextLength − prompt + 1 tokens at most, and one for a prompt that
 * fills the context or exceeds it. The rules against repetition see every token.
 *
 * The context is free between tokens. Whoever has enough leaves the loop (`break`); the cache is freed then too.
 *
 * @param prompt at least one token id
 * @returns      why it ended, as the generator's return value
 * @throws SampleError for an empty prompt or settings out of range
 * @throws LogitsError when no token can be chosen, as when the model's weights are not finite
 * @throws TokenError when the prompt holds an id outside the vocabulary
 */
export async function* generate(
  model: GPT,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
): AsyncGenerator<Choice, EndReason, void> {
  const { tokens, settings, random, overflow, stop } = options;
  checkTokenCount(tokens);
  checkSampleSettings(settings);
  checkPrompts(model, [prompt]);
  const { contextLength } = model.config;
  const sequence = Array.from(prompt);
  const cache = model.makeCache(1);
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

/** What "slide" keeps when the context is full. */
export function newestHalf(sequence: readonly number[], contextLength: number): number[] {
  return sequence.slice(-Math.ceil(contextLength / 2));
}

/** @throws SampleError for what is no number of tokens */
export function checkTokenCount(tokens: number): void {
  if (Number.isSafeInteger(tokens) && tokens >= 0) return;
  throw new SampleError(`tokens to generate must be a whole number ≥ 0: got ${tokens}`);
}

/**
 * A message names the prompt by its number where there are several.
 *
 * @throws SampleError for the first that is empty
 * @throws TokenError for the first id outside the vocabulary
 */
export function checkPrompts({ config }: GPT, prompts: readonly ArrayLike<number>[]): void {
  for (const [i, prompt] of prompts.entries()) {
    const name = prompts.length === 1 ? "prompt" : `prompt ${i + 1} of ${prompts.length}`;
    if (prompt.length === 0) {
      const what = prompts.length === 1 ? "the prompt" : name;
      throw new SampleError(`${what} is empty: give at least one token for the model to continue`);
    }
    checkIds(name, prompt, 0, config.vocabSize);
  }
}
