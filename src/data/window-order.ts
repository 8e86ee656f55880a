/**
 * The order in which windows of the training split are used. Both orders are functions of (seed, step, microStep), so a
 * resumed run needs no cursor, and their cost does not depend on the length of the text.
 */
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** `shuffled` handles indices of up to 30 bits. */
const MOST_WINDOWS = 1 << 30;

export interface WindowOrder {
  /** The offsets of a batch's windows in the training split. */
  starts(step: number, microStep: number): number[];
}

export interface WindowOrderSize {
  /** The number of tokens that can be an input; at least contextLength. */
  readonly inputs: number;
  readonly contextLength: number;
  readonly batchSize: number;
  /** Batches per step. */
  readonly gradAccumulation: number;
}

/** Offsets are uniform, with replacement. After one epoch's worth of tokens, 1/e of the text has not been used. */
export class RandomWindows implements WindowOrder {
  readonly #size: WindowOrderSize;
  readonly #seed: number;

  constructor(size: WindowOrderSize, seed: number) {
    this.#size = size;
    this.#seed = seed;
  }

  starts(step: number, microStep: number): number[] {
    const { inputs, contextLength, batchSize } = this.#size;
    const random = Random.of(this.#seed, "windows", step, microStep);
    return Array.from({ length: batchSize }, () => random.below(inputs - contextLength + 1));
  }
}

/**
 * Each epoch cuts the split into disjoint windows and shuffles them. The first window starts at a random offset, so a
 * token appears at different positions in different epochs. Fewer tokens than two windows are left over at the ends.
 * Every offset at which the windows fit is equally likely, so each token comes in some epochs, and in each at most once.
 */
export class EpochWindows implements WindowOrder {
  /** Windows per epoch. */
  readonly windows: number;
  readonly #size: WindowOrderSize;
  readonly #seed: number;

  constructor(size: WindowOrderSize, seed: number) {
    const { inputs, contextLength } = size;
    // The most that leave room for contextLength different offsets, but at least one.
    this.windows = Math.max(1, Math.floor((inputs + 1 - contextLength) / contextLength));
    if (this.windows > MOST_WINDOWS) {
      throw new DataError(
        `windows: an epoch can have at most ${MOST_WINDOWS} windows: got ${this.windows}; increase contextLength, or use random windows`,
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

  /** @param index the index of the window in the whole run */
  #start(index: number): number {
    const { inputs, contextLength } = this.#size;
    const epoch = Math.floor(index / this.windows);
    const random = Random.of(this.#seed, "epoch", epoch);
    const offset = random.below(inputs + 1 - this.windows * contextLength);
    const place = shuffled(index - epoch * this.windows, this.windows, random.uint32());
    return offset + place * contextLength;
  }
}

/**
 * The image of `index` under a pseudorandom permutation of 0 … count−1, computed without storing the permutation. A
 * Feistel network is a bijection for any round function, but on a power of four. A result of `count` or more goes
 * through the network again until it is in range ("cycle walking"), which ends because a bijection consists of cycles.
 * Source: J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", 2002.
 *
 * @param count 1 … 2³⁰
 * @param key   32 bits that select the permutation
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

/**
 * A hash in which each result bit depends on all bits of both arguments. The last two multipliers are MurmurHash3's.
 */
function mix(value: number, key: number): number {
  let h = Math.imul(value ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
