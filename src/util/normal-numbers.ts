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
  const points = new Float64Array(2 * BLOCK);
  let words = [state.c, state.s0 * TWO_TO_32, state.s1 * TWO_TO_32, state.s2 * TWO_TO_32];
  for (let at = 0; at < values.length; at += BLOCK) {
    const block = values.subarray(at, at + BLOCK);
    words = draw(points, block.length, words);
    // Marsaglia's polar method (1964).
    for (let i = 0; i < block.length; i++) {
      const s = points[BLOCK + i];
      // With deviation 0, negative numbers become −0; adding 0 makes them 0.
      block[i] = deviation * (points[i] * Math.sqrt((-2 * log(s)) / s)) + 0;
    }
  }
  const [s0, s1, s2] = words.slice(1).map((word) => fraction(word, 0));
  return { c: words[0], s0, s1, s2 };
}

/**
 * Draws points (u, v) of the unit disk, from a square around it.
 *
 * @param points u of each point, and from BLOCK on s = u² + v²
 * @param words  c, s0, s1 and s2 in 32 bits: products are computed in halves, because doubles would have to be rounded
 * @returns the words after them
 */
function draw(points: Float64Array, count: number, words: readonly number[]): number[] {
  // Local variables stay in registers.
  let [c, s0, s1, s2] = words.map((word) => word | 0);
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
    points[i] = u;
    points[BLOCK + i] = s;
    // Without a branch: which points are accepted is random, so a branch would be guessed wrong one time in five.
    i += s < 1 && s > 0 ? 1 : 0;
  }
  return [c, s0, s1, s2];
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
