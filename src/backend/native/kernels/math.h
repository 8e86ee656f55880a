/*
 * exp, log, tanh, the normal distribution and the hash of dropout: the functions of ../../wasm/kernels/math.ts and
 * hash.ts, operation by operation, so with the same bits. Those files explain the formulas and state the errors.
 */
#ifndef NOPEEK_MATH_H
#define NOPEEK_MATH_H

#include <math.h>

#include "vector.h"

/* Adding 1.5·2²³ to a number below 2²² rounds it to an integer, which is then in the low bits. The rounder includes the
 * exponent bias, 127, so shifting it to the exponent makes 2ⁿ. */
#define ROUNDER (12582912 + 127)
#define SMALLEST_NORMAL 1.17549435e-38f
#define LOG2_E 1.44269504088896341f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440054690583e-4f

/* Σ coefficients[i]·x^(count−1−i): the highest power first. Inlined with a constant table. */
INLINE Vector polynomial(const float *coefficients, const int count, Vector x) {
  Vector p = splat(coefficients[0]);
#pragma GCC unroll 9
  for (int i = 1; i < count; i++) p = coefficients[i] + p * x;
  return p;
}

/* e^r for |r| ≤ ½·ln 2: 1 + r + r²·P(r). */
INLINE Vector exp_near_zero(Vector r) {
  static const float P[] = {
      0.0013814624422176071f, 0.008368709970099884f, 0.04166838714802045f, 0.16666520688342648f, 0.4999999345268978f
  };
  return 1 + (r + r * r * polynomial(P, 5, r));
}

/* x − n·ln 2. */
INLINE Vector less_multiple_of_ln2(Vector x, Vector n) { return (x - n * LN2_HIGH) - n * LN2_LOW; }

/* e^x for x ≤ 0 (and up to 88). Below 2^−126.5 the result is 0. */
INLINE Vector exp_of_negative(Vector x) {
  /* At −88 the biased exponent is 0, so 2ⁿ reads as 0. */
  const Vector inside = pmax(x, splat(-88));
  const Vector rounded = inside * LOG2_E + ROUNDER;
  const Vector r = less_multiple_of_ln2(inside, rounded - ROUNDER);
  return exp_near_zero(r) * (Vector)((Bits)rounded << 23);
}

/* ln x. −∞ at 0, NaN below 0. */
INLINE Vector log_of(Vector x) {
  static const float P[] = {
      0.06746642028003076f,  -0.11675652241097821f, 0.11888161793704233f,  -0.12405588820360905f, 0.14219552417174436f,
      -0.16667995861440965f, 0.2000211865590755f,   -0.25000009599226636f, 0.3333331260411291f
  };
  const uint32_t root_half = 0x3f3504f3;
  const Bits subnormal = (Bits)(x < SMALLEST_NORMAL);
  const Vector normal = if_less(x, splat(SMALLEST_NORMAL), x * 8388608, x);
  const Bits above_root_half = (Bits)normal - root_half;
  const Integers exponent = ((Integers)above_root_half >> 23) - (Integers)(subnormal & 23);
  const Vector n = __builtin_convertvector(exponent, Vector);
  const Vector f = (Vector)((above_root_half & 0x7fffff) + root_half) - 1;
  const Vector f2 = f * f;
  const Vector small = f * f2 * polynomial(P, 9, f) + n * LN2_LOW - f2 * 0.5f;
  Vector y = small + f + n * LN2_HIGH;
  y = if_less(x, splat(INFINITY), y, x);
  y = choose((Bits)(x != 0), y, splat(-INFINITY));
  /* All bits set is a NaN. */
  return (Vector)((Bits)y | (Bits)(x < 0));
}

INLINE Vector tanh_of(Vector x) {
  static const float P[] = {
      -0.005704983230261168f, 0.02063908355264048f, -0.05373971387354543f, 0.1333144218413557f, -0.3333328194174112f
  };
  const Vector size = magnitude(x);
  const Vector e = exp_of_negative(size * -2);
  const Vector far = (1 - e) / (1 + e);
  const Vector x2 = x * x;
  const Vector near = size + size * x2 * polynomial(P, 5, x2);
  return (Vector)((Bits)if_less(size, splat(0.625f), near, far) | ((Bits)x & 0x80000000));
}

/* e^{−a²/2} for 0 ≤ a ≤ 16. h is the upper 12 bits of a. */
INLINE Vector bell(Vector a) {
  const Vector h = (Vector)((Bits)a & 0xfffff000);
  const Vector high = -0.5f * (h * h);
  const Vector low = -0.5f * ((a - h) * (a + h));
  const Vector inside = pmax(high, splat(-88));
  const Vector rounded = inside * LOG2_E + ROUNDER;
  const Vector r = less_multiple_of_ln2(inside, rounded - ROUNDER) + low;
  return exp_near_zero(r) * (Vector)((Bits)rounded << 23);
}

/* Φ(−a) / e^{−a²/2} for 0 ≤ a ≤ 16. */
INLINE Vector tail_over_bell(Vector a) {
  static const float P[] = {
      -0.02916529074087861f, 0.02740642578858852f, 0.04416331134901975f, -0.056141116149351376f, -0.08173967288388416f,
      0.0818708923565247f,   0.2843957734428853f,  0.3429916083649934f,  0.2532442768127959f
  };
  const Vector t = 1 / (1 + 0.35f * a);
  return t * polynomial(P, 9, t - 0.5f);
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
