/** Fills blanks in a text with an encoder. */
import { SampleError } from "../errors.ts";
import type { Encoder } from "../nn/encoder.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { candidatesOf, probabilitiesOf } from "./candidates.ts";
import { mostProbable } from "./strategies.ts";

/** Marks a blank in a prompt: one missing token. */
export const BLANK = "_";

export interface Filled {
  /** The whole text with the blanks filled in. */
  readonly ids: readonly number[];
  readonly blanks: readonly Blank[];
}

export interface Blank {
  /** The index of the token in the text, from 0. */
  readonly position: number;
  /** The model's choice and its probability. */
  readonly token: number;
  readonly probability: number;
}

/**
 * The ids of a prompt, with [MASK] for each blank.
 *
 * @param encode tokenizes a piece of the prompt
 */
export function idsWithBlanks(
  model: Encoder,
  encode: (text: string) => ArrayLike<number>,
  prompt: string,
): number[] {
  return prompt.split(BLANK).flatMap((piece, i) => {
    const ids = Array.from(encode(piece));
    return i === 0 ? ids : [model.maskId, ...ids];
  });
}

/** Decodes ids, with a blank for each [MASK]. */
export function textWithBlanks(model: Encoder, tokenizer: Tokenizer, ids: readonly number[]): string {
  const pieces: number[][] = [[]];
  for (const id of ids) {
    if (id === model.maskId) pieces.push([]);
    else pieces[pieces.length - 1].push(id);
  }
  return pieces.map((piece) => tokenizer.decode(piece)).join(BLANK);
}

/**
 * Fills each [MASK] with its most probable token, given the visible tokens. All are filled at once, independently of
 * each other.
 *
 * @throws SampleError if there is no [MASK], or the ids do not fit in the context
 */
export async function fillBlanks(model: Encoder, ids: readonly number[]): Promise<Filled> {
  const positions = ids.flatMap((id, t) => (id === model.maskId ? [t] : []));
  if (positions.length === 0) {
    throw new SampleError(`the prompt has no blank: this model fills in each ${BLANK} in the prompt`);
  }
  const logits = await encoderLogits(model, ids);
  const blanks = positions.map((position): Blank => {
    const candidates = candidatesOf(logits[position]);
    const token = mostProbable(candidates);
    return { position, token, probability: probabilitiesOf(candidates)[candidates.ids.indexOf(token)] };
  });
  const filled = [...ids];
  for (const { position, token } of blanks) filled[position] = token;
  return { ids: filled, blanks };
}

/**
 * The logits of each position, for the token at that position: V numbers each.
 *
 * @throws SampleError if there are no ids, or more than fit in the context
 */
export async function encoderLogits(model: Encoder, ids: readonly number[]): Promise<number[][]> {
  const { contextLength, vocabSize } = model.config;
  if (ids.length < 1 || ids.length > contextLength) {
    throw new SampleError(`this model sees 1 to ${contextLength} tokens at a time: got ${ids.length}`);
  }
  const flat = await model.context.scope("no-grad", () => model.forward({ ids, batchSize: 1 }).read());
  return ids.map((_, t) => Array.from(flat.subarray(t * vocabSize, (t + 1) * vocabSize)));
}
