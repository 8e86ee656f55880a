/** Generating: a model, a prompt and settings enter; token ids leave one by one, as they are chosen. */
import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { checkIds } from "../ops/embedding.ts";
import type { Random } from "../random.ts";
import { nextLogits } from "./logits.ts";
import { checkSampleSettings, chooseToken, type SampleSettings } from "./strategies.ts";

export interface GenerateOptions {
  /** How many tokens to generate at most. */
  readonly tokens: number;
  readonly settings: SampleSettings;
  readonly random: Random;
  /**
   * What to do when the context is full. "stop" ends. "slide" forgets all but the newest half, reads that half
   * again as if the sequence began there, and goes on.
   */
  readonly overflow: "stop" | "slide";
}

/** Why a generation ended: it gave as many tokens as were asked for, or its context was full. */
export type EndReason = "length" | "context";

/**
 * Continues a prompt. The prompt is one pass, each further token one more over a single position.
 *
 * The model sees `contextLength` tokens: of a longer prompt, the newest that fit. The token after a full context
 * can still be chosen, so "stop" gives contextLength − prompt + 1 tokens at most, and one for a prompt that
 * fills the context or exceeds it.
 *
 * The context is free between tokens. Whoever has enough leaves the loop (`break`); the cache is freed then too.
 *
 * @param prompt at least one token id
 * @returns      why it ended, as the generator's return value
 * @throws SampleError for an empty prompt, settings out of range, or logits that no token can be drawn from
 * @throws TokenError when the prompt holds an id outside the vocabulary
 */
export async function* generate(
  model: GPT,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
): AsyncGenerator<number, EndReason, void> {
  checkRequest(model, prompt, options);
  const { contextLength } = model.config;
  const sequence = Array.from(prompt).slice(-contextLength);
  const cache = model.makeCache(1);
  try {
    let unread: readonly number[] = sequence;
    for (let count = 0; count < options.tokens; count++) {
      if (cache.length + unread.length > contextLength) {
        if (options.overflow === "stop") return "context";
        cache.clear();
        unread = sequence.slice(-Math.ceil(contextLength / 2));
      }
      const logits = await nextLogits(model, cache, unread);
      const token = chooseToken(logits, options.settings, options.random);
      yield token;
      sequence.push(token);
      unread = [token];
    }
    return "length";
  } finally {
    cache.free();
  }
}

function checkRequest(
  { config }: GPT,
  prompt: ArrayLike<number>,
  { tokens, settings }: GenerateOptions,
): void {
  if (!Number.isSafeInteger(tokens) || tokens < 0) {
    throw new SampleError(`tokens to generate must be a whole number ≥ 0: got ${tokens}`);
  }
  if (prompt.length === 0) {
    throw new SampleError("the prompt is empty: give at least one token for the model to continue");
  }
  checkIds("prompt", prompt, 0, config.vocabSize);
  checkSampleSettings(settings);
}
