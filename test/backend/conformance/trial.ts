/**
 * One run of a kernel on two machines: the backend under test, and the reference in double precision. Both get the
 * same numbers (32-bit floats) in every buffer, including outputs, so that the comparison covers memory that a kernel
 * must not change.
 */
import type { Backend, Buffer, SoftmaxStatistics } from "../../../src/backend/backend.ts";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import type { Random } from "../../../src/random.ts";

/** Maximum distance of a backend from the reference. All bounds of the suite are multiples of these. */
export interface Tolerance {
  /**
   * The relative error of exp, log, tanh and similar functions, and of a quotient, in roundings. A good
   * implementation stays below 4.
   */
  readonly functions: number;
  /**
   * The error of a sum of n terms, in roundings of the sum of their absolute values, is at most n times this number
   * (Higham 2002, §4.2: n − 1 additions and one product each, in any order).
   */
  readonly sums: number;
  /** Whether products are summed in the order of the contract, which makes them equal bit for bit. */
  readonly ordered: boolean;
}

/** Half a unit in the last place of 1: the relative error of one rounding to single precision. */
export const rounding = 2 ** -24;
/** Numbers below the smallest normal number may be rounded to 0. */
const underflow = 2 ** -126;

/** A buffer with the same contents on both machines. */
export interface Twin {
  readonly tested: Buffer;
  readonly truth: Buffer;
  /** Its initial contents. */
  readonly numbers: Float32Array;
}

export interface TwinStatistics {
  readonly max: Twin;
  readonly sum: Twin;
}

/** Returns the buffer of a twin on the given machine. */
export type Side = (twin: Twin) => Buffer;

/** Maximum distance of number i from the reference: `roundings` of `scale[i]` (by default, of the reference value). */
export interface Bound {
  readonly roundings: number;
  readonly scale?: ArrayLike<number>;
}

export class Trial {
  readonly random: Random;
  readonly tolerance: Tolerance;
  readonly #backend: Backend;
  readonly #reference = new ReferenceBackend("double");
  readonly #twins: Twin[] = [];
  readonly #outputs = new Set<Twin>();

  constructor(backend: Backend, random: Random, tolerance: Tolerance) {
    this.#backend = backend;
    this.random = random;
    this.tolerance = tolerance;
  }

  buffer(numbers: ArrayLike<number>): Twin {
    const rounded = Float32Array.from(numbers);
    const [tested, truth] = [this.#backend, this.#reference].map((backend) => {
      const buffer = backend.alloc(rounded.length);
      backend.write(buffer, rounded);
      return buffer;
    });
    const twin = { tested, truth, numbers: rounded };
    this.#twins.push(twin);
    return twin;
  }

  /** Numbers that kernels read from the host. A backend that writes to them throws. */
  integers(numbers: readonly number[]): readonly number[] {
    return Object.freeze([...numbers]);
  }

  /** A buffer of random contents. */
  noise(length: number): Twin {
    return this.buffer(this.normals(length));
  }

  /** An output buffer, with random initial contents. */
  output(length: number): Twin {
    const twin = this.noise(length);
    this.#outputs.add(twin);
    return twin;
  }

  /** An output buffer with the initial contents of another. */
  again({ numbers }: Twin): Twin {
    const twin = this.buffer(numbers);
    this.#outputs.add(twin);
    return twin;
  }

  run(kernel: (backend: Backend, of: Side) => void): void {
    kernel(this.#backend, (twin) => twin.tested);
    kernel(this.#reference, (twin) => twin.truth);
  }

  /** Runs a kernel on the reference alone, to compute dependent inputs and bounds. */
  runTruth(kernel: (backend: Backend, of: Side) => void): void {
    kernel(this.#reference, (twin) => twin.truth);
  }

  /** Output buffers for what a softmax keeps of each row. */
  statistics(rows: number): TwinStatistics {
    return { max: this.output(rows), sum: this.output(rows) };
  }

  /** What the reference holds in `statistics`, as inputs of both machines. */
  async trueStatistics({ max, sum }: TwinStatistics): Promise<TwinStatistics> {
    return { max: this.buffer(await this.truth(max)), sum: this.buffer(await this.truth(sum)) };
  }

  /** The absolute values of a buffer's initial contents. */
  absolute(twin: Twin): Twin {
    return this.buffer(twin.numbers.map(Math.abs));
  }

  /** The current contents on the reference. */
  truth(twin: Twin): Promise<Float32Array | Float64Array> {
    return this.#reference.read(twin.truth);
  }

  /** The current contents on the backend under test. */
  tested(twin: Twin): Promise<Float32Array | Float64Array> {
    return this.#backend.read(twin.tested);
  }

  /** Fails unless the backend's numbers are within `bound` of the reference. */
  async near(name: string, twin: Twin, { roundings, scale }: Bound): Promise<void> {
    this.#outputs.add(twin);
    const [actual, truth] = [await this.tested(twin), await this.truth(twin)];
    if (actual.length !== truth.length)
      throw new Error(`${name}: got ${actual.length} numbers, expected ${truth.length}`);
    for (let i = 0; i < truth.length; i++) {
      const expected = Math.fround(truth[i]);
      if (Object.is(actual[i], expected) || actual[i] === expected) continue;
      const unit = Math.abs(scale === undefined ? truth[i] : scale[i]);
      const allowed = roundings * rounding * unit + (roundings > 0 ? underflow : 0);
      // Written so that a NaN on either side fails.
      if (Number.isFinite(allowed) && Math.abs(actual[i] - truth[i]) <= allowed) continue;
      throw new Error(
        `${name}[${i}] of ${truth.length}: got ${actual[i]}, expected ${truth[i]} ± ${allowed}`,
      );
    }
  }

  /** Fails unless both hold the same numbers. */
  same(name: string, twin: Twin): Promise<void> {
    return this.near(name, twin, { roundings: 0 });
  }

  /** Fails if a buffer that is not an output has changed, then frees all buffers. */
  async finish(): Promise<void> {
    for (const [place, twin] of this.#twins.entries()) {
      if (this.#outputs.has(twin)) continue;
      const now = await this.tested(twin);
      const changed = twin.numbers.findIndex((number, i) => !Object.is(now[i], number));
      if (changed >= 0) {
        throw new Error(`buffer ${place}, an input, has changed at ${changed}: ${now[changed]}`);
      }
    }
    for (const { tested } of this.#twins) this.#backend.free(tested);
  }

  /** A length, often one at which loops over four, eight or sixteen numbers begin or end. */
  length(least = 0): number {
    return Math.max(least, this.pick([0, 1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 31, 64, 65, 67, 131]));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.random.below(values.length)];
  }

  flip(): boolean {
    return this.random.below(2) === 1;
  }

  normals(length: number, deviation = 1, mean = 0): number[] {
    return Array.from({ length }, () => mean + deviation * this.random.normal());
  }

  /** Normal numbers over many orders of magnitude, with one in eight replaced by one of `specials`. */
  wild(length: number, specials: readonly number[]): number[] {
    return Array.from({ length }, () => {
      if (specials.length > 0 && this.random.below(8) === 0) return this.pick(specials);
      return this.random.normal() * 2 ** (this.random.below(24) - 16);
    });
  }
}

/** The statistics of a softmax on the given machine. */
export function statisticsOn(of: Side, { max, sum }: TwinStatistics): SoftmaxStatistics {
  return { max: of(max), sum: of(sum) };
}

/** Inputs for which implementations of functions often fail. */
export const specials: readonly number[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  -1e-40,
  3.4e38,
  -3.4e38,
  88.7,
  89,
  -87.3,
  -88,
  -104,
  -745,
];

/** Fails unless both hold the same numbers, including the sign of 0. */
export function sameBits(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (actual.length !== expected.length)
    throw new Error(`${name}: got ${actual.length} numbers, expected ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    throw new Error(`${name}[${i}] of ${expected.length}: got ${actual[i]}, expected exactly ${expected[i]}`);
  }
}

/** A kernel, and a random use of it that throws if the backend is wrong. */
export interface Case {
  readonly name: string;
  check(trial: Trial): Promise<void>;
}
