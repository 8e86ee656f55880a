/**
 * Multiply-add, the operation that most of the work consists of. In kernels.wasm the product is rounded before it is
 * added, so the bits are the same on every machine. kernels-fast.wasm is compiled from the same sources with relaxed
 * SIMD enabled. There the machine may round only once, at the end, which is faster and more accurate, but the bits
 * differ between machines.
 *
 * One number goes through the same instruction as four, so its bits do not depend on how many are computed beside it.
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
