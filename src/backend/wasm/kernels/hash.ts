/**
 * The hash that decides which elements dropout drops, four indices at a time. Same bits as
 * ../../reference/dropout.ts.
 */

/** 32 well-mixed bits of each index. */
@inline
export function hash(index: v128, key0: i32, key1: i32): v128 {
  let h = v128.xor(index, i32x4.splat(key0));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x7feb352d));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x846ca68b));
  h = v128.xor(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(key1));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x7feb352d));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** `value` if the hash of its index reaches `threshold`, 0 if it is dropped. */
@inline
export function drop(value: v128, index: v128, key0: i32, key1: i32, threshold: i32): v128 {
  return v128.and(value, i32x4.ge_u(hash(index, key0, key1), i32x4.splat(threshold)));
}
