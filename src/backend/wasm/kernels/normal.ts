/**
 * Normal numbers from the generator Alea, by Marsaglia's polar method: the bits of `Random.normal`.
 *
 * The method rejects points outside the unit disk, so how many numbers a stretch of the generator yields is known only
 * once it has been drawn. Two kernels therefore draw each stretch: `countNormals` counts its numbers, from which the
 * host knows where those of each stretch begin, and `fillNormals` writes them there. A stretch begins from its own state, so
 * threads can draw different stretches at the same time.
 */
import { at } from "./vector";

/** A stretch of the generator. ../host/normal.ts writes the fields in this order. */
@unmanaged
class Stretch {
  /** The generator's last three outputs and its carry. `fillNormals` leaves those after the stretch's last point. */
  s0: u32;
  s1: u32;
  s2: u32;
  c: u32;
  /** The number of points that are accepted. */
  count: i32;
  /** The index of its first number. */
  first: i32;
}

/** The multiplier of Alea. */
const FACTOR: u64 = 2091639;
/** Points per block. The accepted ones fit in scratch memory: u of each, and from `SQUARES` on s = u² + v². */
const BLOCK = 256;
const SQUARES: usize = (BLOCK + 2) << 3;

/** Counts the accepted points among `points` of each of the stretches begin … end−1. */
export function countNormals(stretches: usize, points: i32, begin: i32, end: i32, scratch: usize): void {
  for (let i = begin; i < end; i++) {
    const stretch = changetype<Stretch>(stretches + i * offsetof<Stretch>());
    const start = v128.load(changetype<usize>(stretch));
    let count = 0;
    for (let done = 0; done < points; done += BLOCK) {
      count += accept(stretch, min(points - done, BLOCK), BLOCK, scratch);
    }
    v128.store(changetype<usize>(stretch), start);
    stretch.count = count;
  }
}

/** Writes deviation·z + 0 for the numbers z of the stretches begin … end−1, as far as y's length reaches. */
export function fillNormals(
  y: usize, length: i32, deviation: f64, stretches: usize, points: i32, begin: i32, end: i32, scratch: usize,
): void {
  const deviations = f64x2.splat(deviation);
  const zero = f64x2.splat(0);
  for (let i = begin; i < end; i++) {
    const stretch = changetype<Stretch>(stretches + i * offsetof<Stretch>());
    let to = stretch.first;
    for (let done = 0; done < points && to < length; done += BLOCK) {
      const count = accept(stretch, min(points - done, BLOCK), length - to, scratch);
      for (let j = 0; j < count; j += 2) {
        const point = scratch + (j << 3);
        const u = v128.load(point);
        const s = v128.load(point, SQUARES);
        const stretched = f64x2.sqrt(f64x2.div(f64x2.mul(f64x2.splat(-2), log(s)), s));
        // With deviation 0, negative numbers become −0; adding 0 makes them 0.
        const z = f64x2.add(f64x2.mul(deviations, f64x2.mul(u, stretched)), zero);
        f32.store(at(y, to + j), <f32>f64x2.extract_lane(z, 0));
        if (j + 1 < count) f32.store(at(y, to + j), <f32>f64x2.extract_lane(z, 1), 4);
      }
      to += count;
    }
  }
}

/**
 * Draws points from a square until `points` are drawn or `most` are accepted, those inside the unit disk.
 *
 * @param to receives the accepted points
 * @returns how many
 */
function accept(stretch: Stretch, points: i32, most: i32, to: usize): i32 {
  let s0 = <u64>stretch.s0, s1 = <u64>stretch.s1, s2 = <u64>stretch.s2, c = <u64>stretch.c;
  let count = 0;
  for (let i = 0; i < points && count < most; i++) {
    // Multiply with carry: the next output is FACTOR·s0 + c modulo 2³², and the new carry is the quotient.
    c += FACTOR * s0;
    const u0 = c & 0xffffffff;
    c = (c >> 32) + FACTOR * s1;
    const u1 = c & 0xffffffff;
    c = (c >> 32) + FACTOR * s2;
    const v0 = c & 0xffffffff;
    c = (c >> 32) + FACTOR * u0;
    const v1 = c & 0xffffffff;
    c >>= 32;
    s0 = u1;
    s1 = v0;
    s2 = v1;
    const u = coordinate(u0, u1);
    const v = coordinate(v0, v1);
    const s = u * u + v * v;
    // Without a branch: which points are accepted is random, so a branch would be guessed wrong one time in five.
    const place = to + (count << 3);
    f64.store(place, u);
    f64.store(place, s, SQUARES);
    count += i32(s < 1) & i32(s > 0);
  }
  stretch.s0 = <u32>s0;
  stretch.s1 = <u32>s1;
  stretch.s2 = <u32>s2;
  stretch.c = <u32>c;
  return count;
}

/** 2·uniform − 1, of 32 bits of `high` and 21 of `low`: see `Random.uniform`. Exact. */
@inline
function coordinate(high: u64, low: u64): f64 {
  return <f64>(<i64>((high << 21) | (low >> 11))) * 2.220446049250313e-16 - 1;
}

/** ln x of two normal numbers in (0, 1], with the bits of `log` in src/math.ts, where the formula is explained. */
@inline
function log(x: v128): v128 {
  const significand = v128.or(
    v128.and(x, i64x2.splat(0x000f_ffff_ffff_ffff)),
    i64x2.splat(0x3ff0_0000_0000_0000),
  );
  const isHigh = f64x2.gt(significand, f64x2.splat(Math.SQRT2));
  const m = v128.bitselect(f64x2.mul(significand, f64x2.splat(0.5)), significand, isHigh);
  const exponent = i64x2.sub(i64x2.sub(i64x2.shr_u(x, 52), i64x2.splat(1023)), isHigh);
  const k = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(exponent, exponent, 0, 2, 0, 2));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const twice = f64x2.mul(f64x2.splat(2), s);
  const low = f64x2.add(
    f64x2.mul(k, f64x2.splat(1.9082149292705877e-10)),
    f64x2.mul(twice, seriesOfLog(f64x2.mul(s, s))),
  );
  return f64x2.add(f64x2.mul(k, f64x2.splat(0.6931471803691238)), f64x2.add(low, twice));
}

/** s²/3 + s⁴/5 + … + s²²/23. */
@inline
function seriesOfLog(s2: v128): v128 {
  let sum = f64x2.mul(f64x2.splat(1.0 / 23), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 21)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 19)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 17)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 15)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 13)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 11)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 9)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 7)), s2);
  sum = f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 5)), s2);
  return f64x2.mul(f64x2.add(sum, f64x2.splat(1.0 / 3)), s2);
}
