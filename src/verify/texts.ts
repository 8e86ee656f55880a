/** Makes, splits, changes and quotes the texts of the checks. */
import type { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { generate } from "../sample/generate.ts";
import type { Rows } from "./check.ts";

/**
 * Makes texts of equal length. The model generates the first one, so that it resembles the training text. The others
 * are random tokens, which the model has not seen in training.
 *
 * @throws SampleError if the model's logits leave no token to sample
 */
export async function makeTexts(
  model: GPT,
  { count, positions, seed }: { readonly count: number; readonly positions: number; readonly seed: number },
): Promise<Rows> {
  const { vocabSize } = model.config;
  const random = Random.of(seed, "texts");
  const texts = randomTexts({ count, positions, ids: vocabSize }, random);
  const settings = { strategy: "sample", temperature: 1, topK: null, topP: null } as const;
  const options = { tokens: positions - 1, settings, random, overflow: "slide" } as const;
  const written = texts[0].slice(0, 1);
  for await (const { token } of generate(model, written.slice(), options)) written.push(token);
  return [written, ...texts.slice(1)];
}

/** Makes texts of equal length with random tokens from 0 … ids − 1. */
export function randomTexts(
  { count, positions, ids }: { readonly count: number; readonly positions: number; readonly ids: number },
  random: Random,
): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: positions }, () => random.below(ids)));
}

/** Splits a length into random parts. */
export function randomChunks(positions: number, random: Random): number[] {
  const chunks: number[] = [];
  for (let left = positions; left > 0; left -= chunks[chunks.length - 1]) chunks.push(1 + random.below(left));
  return chunks;
}

/** Returns a token other than `id`, chosen by position. Needs a vocabulary of at least two. */
export function anotherId(id: number, position: number, vocabSize: number): number {
  return (id + 1 + (position % (vocabSize - 1))) % vocabSize;
}

const TOKENS_BEFORE = 16;
const TOKENS_AFTER = 8;

/** Quotes part of a text with a bar before token `bar`: "Once up|on a". */
export function excerpt(
  ids: readonly number[],
  bar: number,
  show: (ids: readonly number[]) => string,
): string {
  const start = Math.max(0, bar - TOKENS_BEFORE);
  const end = Math.min(ids.length, bar + TOKENS_AFTER);
  const before = `${start > 0 ? "…" : ""}${show(ids.slice(start, bar))}`;
  const after = `${show(ids.slice(bar, end))}${end < ids.length ? "…" : ""}`;
  return JSON.stringify(`${before}|${after}`);
}
