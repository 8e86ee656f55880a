/**
 * Seeded randomness. Never global: whoever draws is handed a `Random`.
 *
 * Streams that must not depend on how much was drawn before (windows of a step, elements dropped by an op) are
 * made afresh from a seed and a label: `Random.of(seed, "windows", step)`.
 */
import seedrandom from "seedrandom";
import { log } from "./math.ts";

/** What a checkpoint keeps of a generator: it goes on from there with the same numbers. */
export interface RandomState {
  readonly c: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
}

export class Random {
  readonly #generator: seedrandom.StatefulPRNG<seedrandom.State.Alea>;
  readonly #isZero: boolean;

  private constructor(generator: seedrandom.StatefulPRNG<seedrandom.State.Alea>, isZero = false) {
    this.#generator = generator;
    this.#isZero = isZero;
  }

  /** A generator named by its seed and labels; the same names give the same numbers on any machine. */
  static of(seed: number, ...labels: (string | number)[]): Random {
    return new Random(seedrandom.alea([seed, ...labels].join("/"), { state: true }));
  }

  /** A generator that goes on where `state` was taken. */
  static from(state: RandomState): Random {
    return new Random(seedrandom.alea("", { state }));
  }

  /** Its normal numbers are all 0: for weights that are replaced at once, where drawing would be work for nothing. */
  static zeros(): Random {
    return new Random(seedrandom.alea("", { state: true }), true);
  }

  state(): RandomState {
    return this.#generator.state();
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return this.#generator.double();
  }

  /** A whole number in 0 … limit−1. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    return this.#generator.int32() >>> 0;
  }

  /** Standard normal, by Marsaglia's polar method (1964). */
  normal(): number {
    if (this.#isZero) return 0;
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      // The second number of the pair is not kept: a state of four numbers is the whole state.
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
    }
  }
}
