/**
 * One interface for token ids in memory and in a file larger than memory (see token-file.ts), so code that reads
 * windows works with both.
 */
import { DataError } from "../errors.ts";

/** Ids in memory, in any integer type wide enough for them. */
export type TokenArray = Int32Array | Uint32Array | Uint16Array | Uint8Array;

export interface TokenSource {
  /** The number of ids. */
  readonly length: number;
  /** Copies ids[start … start + into.length) to `into`. @throws DataError if the range is out of bounds */
  read(start: number, into: Int32Array): void;
  /** ids[start … end), without a copy. */
  subarray(start: number, end?: number): TokenSource;
}

/** A corpus as token ids. */
export type TokenIds = TokenArray | TokenSource;

export function sourceOf(ids: TokenIds): TokenSource {
  return "read" in ids ? ids : new TokensInMemory(ids);
}

/** Reads `count` ids from `start` on. */
export function readIds(ids: TokenIds, start: number, count: number): Int32Array {
  const into = new Int32Array(count);
  sourceOf(ids).read(start, into);
  return into;
}

/** @throws DataError unless 0 ≤ start ≤ start + count ≤ length */
export function checkPlace(start: number, count: number, length: number): void {
  if (Number.isSafeInteger(start) && start >= 0 && start + count <= length) return;
  throw new DataError(`tokens: ${count} tokens from ${start} on are outside 0 … ${length - 1}`);
}

/** An array for ids below `vocabSize`, with as few bytes per id as possible. */
export function makeTokenArray(vocabSize: number, length: number): Uint8Array | Uint16Array | Uint32Array {
  if (vocabSize <= 0x100) return new Uint8Array(length);
  return vocabSize <= 0x10000 ? new Uint16Array(length) : new Uint32Array(length);
}

class TokensInMemory implements TokenSource {
  readonly #ids: TokenArray;

  constructor(ids: TokenArray) {
    this.#ids = ids;
  }

  get length(): number {
    return this.#ids.length;
  }

  read(start: number, into: Int32Array): void {
    checkPlace(start, into.length, this.length);
    const ids = this.#ids;
    for (let i = 0; i < into.length; i++) into[i] = ids[start + i];
  }

  subarray(start: number, end?: number): TokenSource {
    return new TokensInMemory(this.#ids.subarray(start, end));
  }
}
