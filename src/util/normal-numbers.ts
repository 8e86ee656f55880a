/**
 * Many normal numbers in less than half the time that they take one by one: the initial weights of a large model.
 *
 * The numbers of the generator, their order and the arithmetic are those of `Random.normal`, so the bits are too. The
 * time is saved by two loops instead of one. The first draws points until it has a block of accepted ones; the second
 * computes the logarithms, whose long chains of additions then overlap, because no branch between them is hard to guess.
 */
import { log } from "../math.ts";

/**
 * The state of Baagøe's generator Alea, a multiply-with-carry generator (Marsaglia 2003): the next number is
 * FACTOR·s0 + c modulo 2³², and the new carry c is the quotient. seedrandom keeps s0, s1, s2 as fractions of 2³².
 */
export interface AleaState {
  readonly c: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
}

const FACTOR = 2091639;
const TWO_TO_32 = 2 ** 32;
const FACTOR_OF_HIGH = FACTOR / TWO_TO_32;
const BLOCK = 1024;

/**
 * Fills `values` with independent numbers from N(0, deviation²): `deviation · normal()`, in order.
 *
 * @returns the state after them
 */
export function fillNormal(
  values: Float32Array | Float64Array,
  deviation: number,
  state: AleaState,
): AleaState {
  const size = Math.min(BLOCK, values.length);
  const points = new AcceptedPoints(size, state);
  for (let at = 0; at < values.length; at += size) {
    const block = values.subarray(at, at + size);
    points.draw(block.length);
    toNormal(block, deviation, points);
  }
  return points.state();
}

/** Marsaglia's polar method (1964): deviation · u·√(−2·ln s / s). */
function toNormal(
  values: Float32Array | Float64Array,
  deviation: number,
  { u, s }: Pick<AcceptedPoints, "u" | "s">,
): void {
  for (let i = 0; i < values.length; i++) {
    // With deviation 0, negative numbers become −0; adding 0 makes them 0.
    values[i] = deviation * (u[i] * Math.sqrt((-2 * log(s[i])) / s[i])) + 0;
  }
}

/** Points (u, v) of the unit disk, from a square around it, with s = u² + v². */
class AcceptedPoints {
  readonly u: Float64Array;
  readonly s: Float64Array;
  // Whole numbers of 32 bits. Products of two are computed in halves, because doubles would have to be rounded.
  #c: number;
  #s0: number;
  #s1: number;
  #s2: number;

  constructor(size: number, { c, s0, s1, s2 }: AleaState) {
    this.u = new Float64Array(size);
    this.s = new Float64Array(size);
    this.#c = c;
    [this.#s0, this.#s1, this.#s2] = [s0, s1, s2].map((fraction) => (fraction * TWO_TO_32) | 0);
  }

  /** Draws `count` points into u and s. */
  draw(count: number): void {
    const { u: us, s: ss } = this;
    // Local variables stay in registers.
    let c = this.#c;
    let s0 = this.#s0;
    let s1 = this.#s1;
    let s2 = this.#s2;
    for (let i = 0; i < count; ) {
      const u0 = (Math.imul(FACTOR, s0) + c) | 0;
      c = carry(s0, c, u0);
      const u1 = (Math.imul(FACTOR, s1) + c) | 0;
      c = carry(s1, c, u1);
      const v0 = (Math.imul(FACTOR, s2) + c) | 0;
      c = carry(s2, c, v0);
      const v1 = (Math.imul(FACTOR, u0) + c) | 0;
      c = carry(u0, c, v1);
      s0 = u1;
      s1 = v0;
      s2 = v1;
      const u = 2 * fraction(u0, u1) - 1;
      const v = 2 * fraction(v0, v1) - 1;
      const s = u * u + v * v;
      us[i] = u;
      ss[i] = s;
      // Without a branch: which points are accepted is random, so a branch would be guessed wrong one time in five.
      i += s < 1 && s > 0 ? 1 : 0;
    }
    [this.#c, this.#s0, this.#s1, this.#s2] = [c, s0, s1, s2];
  }

  state(): AleaState {
    const [s0, s1, s2] = [this.#s0, this.#s1, this.#s2].map((word) => (word >>> 0) / TWO_TO_32);
    return { c: this.#c, s0, s1, s2 };
  }
}

/** ⌊(FACTOR·s + c) / 2³²⌋, where `low` is the rest, as 32 bits. */
function carry(s: number, c: number, low: number): number {
  const high = ((s >>> 0) * FACTOR_OF_HIGH) | 0;
  // The low half of the product plus c went beyond 2³² if the sum is less than c.
  return (high + (low >>> 0 < c >>> 0 ? 1 : 0)) | 0;
}

/** As `Random.uniform`: 32 bits of `high` and 21 of `low`, of 53. */
function fraction(high: number, low: number): number {
  return (high >>> 0) / TWO_TO_32 + (low >>> 11) / 2 ** 53;
}
