/** Logits of whole batches, compared bit for bit. */
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { batchLogits, chunkedLogits } from "../sample/logits.ts";
import type { CheckOptions, Rows, Subject } from "./check.ts";

/** Logits (B, T, V), row by row. */
export interface Logits {
  readonly values: Float32Array | Float64Array;
  readonly positions: number;
  readonly vocabSize: number;
}

/**
 * Runs the model over the rows.
 *
 * @param chunks how many positions go through a cache at a time; null: all at once and no cache
 */
export async function logitsOf(
  model: Subject,
  rows: Rows,
  chunks: readonly number[] | null = null,
): Promise<Logits> {
  if (chunks === null) return wholeLogits(model, tokensOf(rows));
  const values = await chunkedLogits(model, rows, chunks);
  return { values, positions: rows[0].length, vocabSize: model.config.vocabSize };
}

/** Rows of one length as a batch. */
export function tokensOf(rows: Rows): TokenBatch {
  return { ids: rows.flat(), batchSize: rows.length };
}

export async function wholeLogits(model: Subject, tokens: TokenBatch): Promise<Logits> {
  const { vocabSize } = model.config;
  const positions = tokens.ids.length / tokens.batchSize;
  const values = await batchLogits(model, tokens);
  return { values, positions, vocabSize };
}

/** A place in a batch: position t of a row. */
export interface Place {
  readonly row: number;
  readonly t: number;
}

/** Which of the logits at two places differs first, to the bit; −0 and 0 do. −1 when none does. */
export function firstDifference(a: Logits, atA: Place, b: Logits, atB: Place = atA): number {
  const [left, right] = [rowAt(a, atA), rowAt(b, atB)];
  return left.findIndex((value, i) => !Object.is(value, right[i]));
}

/** "the logit of "e" … from 1.25 to 1.5" for the first that differs. */
export function describeDifference(
  before: Logits,
  atBefore: Place,
  after: Logits,
  atAfter: Place,
  { show }: CheckOptions,
): { readonly logit: string; readonly from: string; readonly to: string } {
  const id = Math.max(0, firstDifference(before, atBefore, after, atAfter));
  const [from, to] = [rowAt(before, atBefore)[id], rowAt(after, atAfter)[id]].map(preciseNumber);
  return { logit: `the logit of ${JSON.stringify(show([id]))}`, from, to };
}

/** Nine digits tell any two numbers of single precision apart. */
function preciseNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(Number(value.toPrecision(9)));
}

function rowAt({ values, positions, vocabSize }: Logits, { row, t }: Place): Float32Array | Float64Array {
  const start = (row * positions + t) * vocabSize;
  return values.subarray(start, start + vocabSize);
}
