/**
 * The one operation that most of the work is made of. In kernels.wasm the product is rounded before it is added, so
 * that the bits are the same on every machine. kernels-fast.wasm is compiled from the same sources with relaxed SIMD
 * on: there the machine may round once, at the end, which is quicker and nearer to the truth, and other bits.
 *
 * One number goes through the same instruction as four: its bits do not depend on how many stand beside it.
 */

/** sum + x·y, four numbers at a time. */
@inline
export function multiplyAdd(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(sum, f32x4.mul(x, y));
}

/** sum + x·y. */
@inline
export function multiplyAddOne(sum: f32, x: f32, y: f32): f32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return f32x4.extract_lane(multiplyAdd(f32x4.splat(sum), f32x4.splat(x), f32x4.splat(y)), 0);
  }
  return sum + x * y;
}
