/**
 * Which windows of the training split a batch is made of. Both orders are functions of (seed, step, microStep), so a run
 * that resumes needs no cursor, and both cost the same whatever the length of the text.
 */
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** A place in a shuffle is 30 bits. */
const MOST_WINDOWS = 1 << 30;

export interface WindowOrder {
  /** Where the windows of a batch begin. */
  starts(step: number, microStep: number): number[];
}

export interface WindowOrderSize {
  /** Of the split; at least contextLength + 1. */
  readonly tokens: number;
  readonly contextLength: number;
  readonly batchSize: number;
  /** Batches of one step. */
  readonly gradAccumulation: number;
}

/** Uniform over every place where a window fits. After one epoch's worth of tokens, 1/e of the text was not seen. */
export class RandomWindows implements WindowOrder {
  readonly #size: WindowOrderSize;
  readonly #seed: number;

  constructor(size: WindowOrderSize, seed: number) {
    this.#size = size;
    this.#seed = seed;
  }

  starts(step: number, microStep: number): number[] {
    const { tokens, contextLength, batchSize } = this.#size;
    const random = Random.of(this.#seed, "windows", step, microStep);
    return Array.from({ length: batchSize }, () => random.below(tokens - contextLength));
  }
}

/**
 * An epoch cuts the split into windows that share no target and takes them in a shuffled order. Each epoch cuts at other
 * places, so that a token is met at other positions; what is left over at the ends is shorter than two windows.
 */
export class EpochWindows implements WindowOrder {
  /** In an epoch. */
  readonly windows: number;
  readonly #size: WindowOrderSize;
  readonly #seed: number;

  constructor(size: WindowOrderSize, seed: number) {
    const { tokens, contextLength } = size;
    // One window less than would fit, where that leaves any: room to move the cuts by up to a window.
    this.windows = Math.max(1, Math.floor((tokens - contextLength) / contextLength));
    if (this.windows > MOST_WINDOWS) {
      throw new DataError(
        `windows: epochs can be shuffled over ${MOST_WINDOWS} windows at most: got ${this.windows}; longer windows, or random ones, can be had of any text`,
      );
    }
    this.#size = size;
    this.#seed = seed;
  }

  starts(step: number, microStep: number): number[] {
    const { batchSize, gradAccumulation } = this.#size;
    const first = (step * gradAccumulation + microStep) * batchSize;
    return Array.from({ length: batchSize }, (_, row) => this.#start(first + row));
  }

  /** @param index of the window in the whole run */
  #start(index: number): number {
    const { tokens, contextLength } = this.#size;
    const epoch = Math.floor(index / this.windows);
    const random = Random.of(this.#seed, "epoch", epoch);
    const offset = random.below(Math.min(contextLength, tokens - this.windows * contextLength));
    const place = shuffled(index - epoch * this.windows, this.windows, random.uint32());
    return offset + place * contextLength;
  }
}

/**
 * Where a shuffle of 0 … count−1 puts `index`, without making the shuffle: a Feistel network is a bijection whatever its
 * round function does. It permutes a power of four; who lands outside of count goes through it again, and comes back
 * inside in the end, since a bijection runs in circles.
 * Source: J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", 2002.
 *
 * @param count 1 … 2³⁰
 * @param key   32 bits that choose the shuffle
 */
export function shuffled(index: number, count: number, key: number): number {
  let bits = 1;
  while (1 << (2 * bits) < count) bits++;
  const mask = (1 << bits) - 1;
  let place = index;
  do {
    let [left, right] = [place >>> bits, place & mask];
    for (let round = 0; round < ROUNDS; round++) {
      [left, right] = [right, (left ^ mix(right, key + round)) & mask];
    }
    place = (left << bits) | right;
  } while (place >= count);
  return place;
}

const ROUNDS = 6;

/** Every bit of the result depends on every bit of both. The multipliers are MurmurHash3's. */
function mix(value: number, key: number): number {
  let h = Math.imul(value ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
