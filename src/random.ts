import type seedrandom from "seedrandom";
import alea from "seedrandom/lib/alea.js";
import { ConfigError } from "./errors.ts";
import { log } from "./math.ts";
import { checkTypes } from "./util/check-types.ts";

/** The state of a generator as saved in a checkpoint. A generator restored from it continues with the same numbers. */
export interface RandomState {
  readonly c: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
}

/** What `Random.fillNormal` needs of a backend: see backend/backend.ts. */
interface NormalSource<Buffer> {
  fill(dst: Buffer, value: number): void;
  fillNormal(dst: Buffer, deviation: number, state: RandomState): RandomState;
}

/**
 * A seeded random number generator. There is no global one: code that draws receives a `Random`.
 *
 * A stream that must not depend on earlier draws (the windows of a step, the elements an op drops) is created fresh
 * from a seed and a label.
 *
 * @example
 * const random = Random.of(1337, "windows", 5);
 * random.uniform(); // in [0, 1), the same on every machine
 * random.below(10); // in 0 … 9
 */
export class Random {
  #generator: seedrandom.StatefulPRNG<seedrandom.State.Alea>;
  readonly #isZero: boolean;

  private constructor(generator: seedrandom.StatefulPRNG<seedrandom.State.Alea>, isZero = false) {
    this.#generator = generator;
    this.#isZero = isZero;
  }

  /** A generator identified by a seed and labels. The same seed and labels produce the same numbers on any machine. */
  static of(seed: number, ...labels: (string | number)[]): Random {
    checkTypes("Random.of", { seed }, { seed: "number" });
    return new Random(alea([seed, ...labels].join("/"), { state: true }));
  }

  /**
   * A generator that continues from a saved state.
   *
   * @throws ConfigError if no generator has this state
   */
  static from(state: RandomState): Random {
    checkTypes("Random.from", { state }, { state: ["c", "s0", "s1", "s2"] });
    const { c, s0, s1, s2 } = state;
    const words = [s0, s1, s2].map((fraction) => fraction * 2 ** 32);
    const isState = [c, ...words].every((word) => word >= 0 && word < 2 ** 32 && Number.isInteger(word));
    // From zeros alone, every number would be 0.
    if (!isState || c + s0 + s1 + s2 === 0) {
      throw new ConfigError("Random.from: `state` must be what `state()` returned: got other numbers");
    }
    return new Random(alea("", { state }));
  }

  /**
   * A generator whose normal numbers are all 0. It saves the cost of initializing weights that are about to be loaded.
   */
  static zeros(): Random {
    return new Random(alea("", { state: true }), true);
  }

  state(): RandomState {
    return this.#generator.state();
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return this.#generator.double();
  }

  /** An integer in 0 … limit−1, uniform. */
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
      // The second number of the pair is discarded, so that the four numbers of the generator are the whole state.
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
    }
  }

  /**
   * Fills a buffer with `deviation · normal()`, in order, where it is: a backend's kernel draws the same numbers faster.
   *
   * @example random.fillNormal(context.backend, context.backend.alloc(1000), 0.02)
   */
  fillNormal<Buffer>(backend: NormalSource<Buffer>, dst: Buffer, deviation: number): void {
    if (this.#isZero) backend.fill(dst, 0);
    else this.#generator = alea("", { state: backend.fillNormal(dst, deviation, this.state()) });
  }
}
