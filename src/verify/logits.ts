/** Computes logits of whole batches and compares them bit for bit. */
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { batchLogits, chunkedLogits } from "../sample/logits.ts";
import type { CheckedModel, CheckOptions, Rows } from "./check.ts";

/** Logits (B, T, V), row-major. */
export interface Logits {
  readonly values: Float32Array | Float64Array;
  readonly positions: number;
  readonly vocabSize: number;
}

/**
 * Computes the logits of the rows.
 *
 * @param chunks sizes of the parts fed through a KV cache, or null for one pass without a cache
 */
export async function logitsOf(
  model: CheckedModel,
  rows: Rows,
  chunks: readonly number[] | null = null,
): Promise<Logits> {
  if (chunks === null) return wholeLogits(model, tokensOf(rows));
  const values = await chunkedLogits(model, rows, chunks);
  return { values, positions: rows[0].length, vocabSize: model.config.vocabSize };
}

/** Makes a batch from rows of equal length. */
export function tokensOf(rows: Rows): TokenBatch {
  return { ids: rows.flat(), batchSize: rows.length };
}

export async function wholeLogits(model: CheckedModel, tokens: TokenBatch): Promise<Logits> {
  const { vocabSize } = model.config;
  const positions = tokens.ids.length / tokens.batchSize;
  const values = await batchLogits(model, tokens);
  return { values, positions, vocabSize };
}

/** Position t of a row in a batch. */
export interface Place {
  readonly row: number;
  readonly t: number;
}

/** Returns the first token whose logits at two places differ in a bit, or −1 if none does. −0 and 0 differ. */
export function firstDifference(a: Logits, atA: Place, b: Logits, atB: Place = atA): number {
  const [left, right] = [rowAt(a, atA), rowAt(b, atB)];
  return left.findIndex((value, i) => !Object.is(value, right[i]));
}

/** Describes the first logit that differs: the logit of "e", from 1.25, to 1.5. */
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

/** Nine digits distinguish any two single-precision numbers. */
function preciseNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(Number(value.toPrecision(9)));
}

function rowAt({ values, positions, vocabSize }: Logits, { row, t }: Place): Float32Array | Float64Array {
  const start = (row * positions + t) * vocabSize;
  return values.subarray(start, start + vocabSize);
}
