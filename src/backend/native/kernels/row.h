/*
 * The maximum of a row and the sum of its exponentials, in the order of ../../wasm/kernels/row.ts. There, a vector has four
 * lanes, so four, eight or sixteen numbers are combined as one, two or four vectors of four.
 */
#ifndef NOPEEK_ROW_H
#define NOPEEK_ROW_H

#include "math.h"

/* The number of vectors that hold sixteen numbers. */
enum { PARTS = 16 / LANES };

/* (0 + 2) + (1 + 3), as WebAssembly's `sumLanes`. */
INLINE float sum_lanes(Four v) { return (v[0] + v[2]) + (v[1] + v[3]); }

#if LANES > 4
INLINE Four pmax_of_fours(Four a, Four b) { return _mm_max_ps(b, a); }
#else
INLINE Four pmax_of_fours(Four a, Four b) { return pmax(a, b); }
#endif

/* The largest number; −∞ if there are none. Ignores NaN. Of 0 and −0, the order decides. */
INLINE float row_max(const char *x, size_t columns) {
  const Four none = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
  Four max[2] = {none, none};
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    max[0] = pmax_of_fours(max[0], load_four(x + 4 * j));
    max[1] = pmax_of_fours(max[1], load_four(x + 4 * j + 16));
  }
  if (j + 4 <= columns) {
    max[0] = pmax_of_fours(max[0], load_four(x + 4 * j));
    j += 4;
  }
  if (j < columns) max[1] = pmax_of_fours(max[1], load_part_of_four(x + 4 * j, columns - j, -INFINITY));
  const Four all = pmax_of_fours(max[0], max[1]);
  const Four pairs = pmax_of_fours(all, SHUFFLE(all, all, 2, 3, 0, 1));
  return pairs[0] < pairs[1] ? pairs[1] : pairs[0];
}

/* Σ exp(x − shift), for x ≤ shift. */
INLINE float row_exp_sum(const char *x, float shift, size_t columns) {
  Four sum = {0};
  for (size_t j = 0; j < columns; j += 16) {
    const size_t left = least(16, columns - j);
    Vector parts[PARTS];
#pragma GCC unroll 4
    for (size_t part = 0; part < PARTS; part++) {
      const size_t first = least(left, part * LANES), count = least(LANES, left - first);
      parts[part] = exp_of_negative(load_some(x + 4 * (j + first), count, -INFINITY) - shift);
    }
    Four fours[4];
    memcpy(fours, parts, sizeof fours);
    if (left == 16) sum = sum + ((fours[0] + fours[1]) + (fours[2] + fours[3]));
    else
      for (size_t i = 0; 4 * i < left; i++) sum = sum + fours[i];
  }
  return sum_lanes(sum);
}

/* The number to subtract from a row before exp: its maximum, or 0 if nothing is visible. */
INLINE float shift_of(float max) { return max == -INFINITY ? 0 : max; }

#endif
