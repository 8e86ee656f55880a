/**
 * The host side of kernels/normal.ts: cuts the stream of a generator into stretches, whose numbers are then drawn
 * independently of each other.
 *
 * Alea is a multiply-with-carry generator (Marsaglia 2003) of base b = 2³² and lag 3. Its state (s0, s1, s2, c) is one
 * number, X = s0 + s1·b + s2·b² + c·b³, and a draw multiplies X by 1/b modulo m = a·b³ − 1, where a is Alea's factor.
 * Since a·b³ ≡ 1, 1/b ≡ a·b². So n draws multiply by (a·b²)ⁿ, and a stretch may begin anywhere.
 */
import type { RandomState } from "../../../random.ts";
import type { Buffer } from "../../backend.ts";
import type { Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";

const FACTOR = 2091639n;
const BASE = 0x1_0000_0000n;
const STEP = FACTOR * BASE * BASE;
const MODULUS = STEP * BASE - 1n;
const DRAWS_PER_POINT = 4n;
/** π/4 of the square's points lie in the disk: 1.27 points per number, and a few more, so that one round mostly does. */
const POINTS_PER_NUMBER = 1.3;
/** Shorter stretches would take longer to prepare than to draw. */
const LEAST_POINTS = 4096;
/** See kernels/normal.ts: the numbers of scratch memory; the words of a stretch, and some of their places. */
const scratchLength = 1032;
const stretchWords = 6;
const at = { c: 3, count: 4, first: 5 } as const;

/** See `Kernels.fillNormal` of ../../backend.ts. */
export function fillNormal(
  heap: Heap,
  kernels: Pick<KernelExports, "countNormals" | "fillNormals">,
  y: Buffer,
  deviation: number,
  state: RandomState,
): RandomState {
  const to = heap.pointer(y);
  const { parameterWords: words } = heap;
  const { pointer } = heap.parameters;
  const pairsOfWords = new BigUint64Array(words.buffer, pointer);
  const most = words.length / stretchWords;
  let end = state;
  for (let filled = 0; filled < y.length; ) {
    const wanted = Math.ceil((y.length - filled) * POINTS_PER_NUMBER);
    const points = Math.min(wanted, Math.max(LEAST_POINTS, Math.ceil(wanted / most)));
    const stretches = Math.ceil(wanted / points);
    const jump = power(STEP, DRAWS_PER_POINT * BigInt(points));
    let x = numberOf(end);
    for (let i = 0; i < stretches; i++) {
      const pair = (stretchWords / 2) * i;
      // The array keeps the lowest 64 bits.
      pairsOfWords[pair] = x;
      pairsOfWords[pair + 1] = x >> 64n;
      x = (x * jump) % MODULUS;
    }
    const scratch = heap.scratch(scratchLength);
    kernels.countNormals(pointer, points, 0, stretches, scratch);
    let used = 0;
    for (; used < stretches && filled < y.length; used++) {
      words[stretchWords * used + at.first] = filled;
      filled += words[stretchWords * used + at.count];
    }
    kernels.fillNormals(to, y.length, deviation, pointer, points, 0, used, scratch);
    end = stateOf(words.subarray(stretchWords * (used - 1)));
  }
  return end;
}

/** X of a state. seedrandom keeps s0, s1 and s2 as fractions of b. */
function numberOf({ c, s0, s1, s2 }: RandomState): bigint {
  return [c, s2 * 2 ** 32, s1 * 2 ** 32, s0 * 2 ** 32].reduce((x, word) => x * BASE + BigInt(word), 0n);
}

/** The state in the words of a stretch. */
function stateOf(words: Int32Array): RandomState {
  const [s0, s1, s2] = Array.from(words, (word) => (word >>> 0) / 2 ** 32);
  return { c: words[at.c], s0, s1, s2 };
}

/** base^exponent modulo m. */
function power(base: bigint, exponent: bigint): bigint {
  if (exponent === 0n) return 1n;
  const root = power(base, exponent / 2n);
  return (root * root * (exponent % 2n === 0n ? 1n : base)) % MODULUS;
}
