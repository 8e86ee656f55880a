/** The texts that checks run over, cut, changed and shown. */
import type { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { generate } from "../sample/generate.ts";
import type { Rows } from "./check.ts";

/**
 * Texts of one length: the first is written by the model itself, so that it looks like what the model learned; in
 * the others every token is drawn at random, so that they look like nothing it ever saw.
 *
 * @throws SampleError when the model's logits allow no choice
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

/** Texts of one length, each token drawn at random from so many ids. */
export function randomTexts(
  { count, positions, ids }: { readonly count: number; readonly positions: number; readonly ids: number },
  random: Random,
): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: positions }, () => random.below(ids)));
}

/** Cuts a length into random parts. */
export function randomChunks(positions: number, random: Random): number[] {
  const chunks: number[] = [];
  for (let left = positions; left > 0; left -= chunks[chunks.length - 1]) chunks.push(1 + random.below(left));
  return chunks;
}

/** A token other than `id`; another one at each position. Needs a vocabulary of two or more. */
export function anotherId(id: number, position: number, vocabSize: number): number {
  return (id + 1 + (position % (vocabSize - 1))) % vocabSize;
}

const TOKENS_BEFORE = 16;
const TOKENS_AFTER = 8;

/** A part of a text in quotes, with a bar in front of token `bar`: "Once up|on a". */
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
