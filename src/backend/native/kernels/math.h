/* exp and the hash of dropout: the functions of ../../wasm/kernels/math.ts and hash.ts, operation by operation. */
#ifndef NOPEEK_MATH_H
#define NOPEEK_MATH_H

#include <math.h>

#include "vector.h"

/* e^r for |r| ≤ ½·ln 2. */
INLINE Vector exp_near_zero(Vector r) {
  Vector p = splat(0.0013814624422176071f);
  p = 0.008368709970099884f + p * r;
  p = 0.04166838714802045f + p * r;
  p = 0.16666520688342648f + p * r;
  p = 0.4999999345268978f + p * r;
  return 1 + (r + r * r * p);
}

/* x − n·ln 2. */
INLINE Vector less_multiple_of_ln2(Vector x, Vector n) { return (x - n * 0.693359375f) - n * -2.12194440054690583e-4f; }

/* e^x for x ≤ 0 (and up to 88). */
INLINE Vector exp_of_negative(Vector x) {
  /* The rounder includes the exponent bias, 127. At −88 the biased exponent is 0, so 2ⁿ reads as 0. */
  const Vector rounder = splat(12582912 + 127);
  const Vector inside = pmax(x, splat(-88));
  const Vector rounded = inside * 1.44269504088896341f + rounder;
  const Vector r = less_multiple_of_ln2(inside, rounded - rounder);
  return exp_near_zero(r) * (Vector)((Bits)rounded << 23);
}

/* 32 well-mixed bits of each index. */
INLINE Bits hash(Bits index, uint32_t key0, uint32_t key1) {
  Bits h = index ^ key0;
  h = (h ^ h >> 16) * 0x7feb352d;
  h = (h ^ h >> 15) * 0x846ca68b;
  h = h ^ h >> 16 ^ key1;
  h = (h ^ h >> 16) * 0x7feb352d;
  h = (h ^ h >> 15) * 0x846ca68b;
  return h ^ h >> 16;
}

/* `value` if the hash of its index reaches `threshold`, 0 if it is dropped. */
INLINE Vector drop(Vector value, Bits index, uint32_t key0, uint32_t key1, uint32_t threshold) {
  return (Vector)((Bits)value & (Bits)(hash(index, key0, key1) >= threshold));
}

#endif
