/** Counter-based dropout: whether element i is dropped is a pure function of i and a key. */
import type { Buffer, Dropping, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

/**
 * 32 well-mixed bits from an index and a key. Each multiply and xor-shift round spreads every input bit over the
 * whole word. The second half of the key enters between rounds, so that keys do not merely shift the sequence.
 */
export function hash(index: number, key: readonly [number, number]): number {
  let h = (index ^ key[0]) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  h = (h ^ (h >>> 16) ^ key[1]) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 0 if element `index` is dropped, otherwise 1/(1 − probability), which preserves the expectation. */
export function dropFactor(index: number, { probability, key }: Dropping): number {
  return hash(index, key) < dropThreshold(probability) ? 0 : 1 / (1 - probability);
}

/** Hashes below this number are dropped: probability · 2³², an integer. */
export function dropThreshold(probability: number): number {
  return Math.floor(probability * 0x1_0000_0000);
}

/** y[i] = x[i]·dropFactor(i). */
export function dropout(y: WriteTarget, x: Buffer, dropping: Dropping): void {
  const xs = numbersOf(x);
  const put = putInto(y);
  for (let i = 0; i < xs.length; i++) {
    const factor = dropFactor(i, dropping);
    put(i, factor === 0 ? 0 : xs[i] * factor);
  }
}
