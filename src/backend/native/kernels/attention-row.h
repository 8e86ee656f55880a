/*
 * Attention of matrices that have a single row each, as in token-by-token generation. Up to four neighbors are computed
 * together: lane r of a `Four` belongs to matrix r. So cache lines that the neighbors share are read once, and the sums
 * of softmax, which run in ascending order of columns, are sums of vectors, as in
 * ../../wasm/kernels/attention-forward.ts.
 */
#ifndef NOPEEK_ATTENTION_ROW_H
#define NOPEEK_ATTENTION_ROW_H

#include "attention-strip.h"
#include "math.h"

/* The matrices of a group, and the columns whose values stay in the L1 cache: 32 KiB for four rows of 32 numbers. */
enum { GROUP = 4, BLOCK = 64 };

/* `count` matrices of one operand, `step` bytes apart. */
typedef struct {
  Matrix first;
  size_t step;
} Group;

INLINE Four pmax_four(Four a, Four b) {
#if LANES > 4
  return _mm_max_ps(b, a);
#else
  return pmax(a, b);
#endif
}

/* The same four numbers in every part of a vector. */
INLINE Vector repeat(Four four) {
  Vector vector;
  for (int lane = 0; lane < LANES; lane++) vector[lane] = four[lane % 4];
  return vector;
}

/* The sums of the lanes of four vectors, each as (0 + 2) + (1 + 3). */
INLINE Four sums_of_lanes(Four a, Four b, Four c, Four d) {
  const Four ab = SHUFFLE(a, b, 0, 4, 1, 5) + SHUFFLE(a, b, 2, 6, 3, 7);
  const Four cd = SHUFFLE(c, d, 0, 4, 1, 5) + SHUFFLE(c, d, 2, 6, 3, 7);
  return SHUFFLE(ab, cd, 0, 1, 4, 5) + SHUFFLE(ab, cd, 2, 3, 6, 7);
}

/* scores[column] = factor·⟨a, b[column]⟩ for one row a. */
static void dots_of_row(char *scores, const char *a, Matrix b, size_t columns, size_t width_bytes, float factor) {
  size_t column = 0;
  for (; column + 4 <= columns; column += 4) {
    const char *b0 = b.at + column * b.row, *b1 = b0 + b.row, *b2 = b1 + b.row, *b3 = b2 + b.row;
    Four s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (size_t d = 0; d < width_bytes; d += 16) {
      const Four part = load_four(a + d);
      s0 = s0 + part * load_four(b0 + d);
      s1 = s1 + part * load_four(b1 + d);
      s2 = s2 + part * load_four(b2 + d);
      s3 = s3 + part * load_four(b3 + d);
    }
    store_four(scores + 4 * column, factor * sums_of_lanes(s0, s1, s2, s3));
  }
  for (; column < columns; column++) {
    Four s = {0};
    for (size_t d = 0; d < width_bytes; d += 16) s = s + load_four(a + d) * load_four(b.at + column * b.row + d);
    store_one(scores + 4 * column, factor * ((s[0] + s[2]) + (s[1] + s[3])));
  }
}

/* Turns scores into weights, and saves the statistics of the rows. There is room for whole vectors after the end. */
static void softmax_of_group(char *numbers, size_t columns, float keep_factor, char *max_at, char *sum_at, size_t count) {
  char *end = numbers + 16 * columns;
  /* This maximum ignores NaN, but exp does not, so the sum is NaN. */
  Four max = (Four){0} - INFINITY;
  for (const char *at = numbers; at < end; at += 16) max = pmax_four(max, load_four(at));
  Four shift = max;
  /* A row that sees nothing, or only −∞, is shifted by 0, because −∞ − max would be NaN. */
  for (int r = 0; r < GROUP; r++)
    if (max[r] == -INFINITY) shift[r] = 0;
  const Vector shifts = repeat(shift);
  for (char *at = numbers; at < end; at += 4 * LANES) store(at, exp_of_negative(load(at) - shifts));
  Four sum = {0};
  for (const char *at = numbers; at < end; at += 16) sum = sum + load_four(at);
  memcpy(max_at, &max, 4 * count);
  memcpy(sum_at, &sum, 4 * count);
  Four factor = keep_factor / sum;
  /* A row that sees nothing has sum 0; its weights are 0. */
  for (int r = 0; r < GROUP; r++)
    if (sum[r] == 0) factor[r] = 0;
  const Vector factors = repeat(factor);
  for (char *at = numbers; at < end; at += 4 * LANES) store(at, factors * load(at));
}

/* y[r] += Σ numbers[column, r]·b[r, column]. The sums of a slice of each row stay in registers. */
#define SLICE Vector
#define SLICES 2
#define SLICED(name) name##_wide
#include "attention-row-slices.h"
#undef SLICE
#undef SLICES
#undef SLICED
/* What is left of a row that is no multiple of two vectors. */
#define SLICE Four
#define SLICES 1
#define SLICED(name) name##_four
#include "attention-row-slices.h"

INLINE void add_sums_of_block(const int count, Group y, const char *numbers, Group b, size_t from, size_t to, size_t width_bytes) {
  enum { TWO = 8 * LANES };
  numbers += 16 * from;
  const char *at = b.first.at + from * b.first.row;
  size_t d = 0;
  for (; d + TWO <= width_bytes; d += TWO)
    add_slices_wide(count, y.first.at + d, y.step, numbers, at + d, b.step, b.first.row, to - from);
  for (; d < width_bytes; d += 16)
    add_slices_four(count, y.first.at + d, y.step, numbers, at + d, b.step, b.first.row, to - from);
}

/* y[r] = Σ numbers[column, r]·b[r, column]. */
static void sum_group(size_t count, Group y, const char *numbers, Group b, size_t columns, size_t width_bytes) {
  for (size_t r = 0; r < count; r++) memset(y.first.at + r * y.step, 0, width_bytes);
  for (size_t from = 0; from < columns; from += BLOCK) {
    const size_t to = least(from + BLOCK, columns);
    switch (count) {
      case 1: add_sums_of_block(1, y, numbers, b, from, to, width_bytes); break;
      case 2: add_sums_of_block(2, y, numbers, b, from, to, width_bytes); break;
      case 3: add_sums_of_block(3, y, numbers, b, from, to, width_bytes); break;
      default: add_sums_of_block(4, y, numbers, b, from, to, width_bytes);
    }
  }
}

/*
 * The number of matrices, beginning at `matrix`, that can be computed together: consecutive along the last batch axis,
 * and seeing the same columns.
 */
static size_t count_neighbors(const Call *call, size_t matrix, size_t end) {
  if (call->axes < (call->windows ? 2 : 1)) return 1;
  const uint32_t *sizes = (const uint32_t *)(call + 1);
  const size_t size = sizes[call->axes - 1];
  return least(GROUP, least(end - matrix, size - matrix % size));
}

/* The operand of a group whose first matrix is found. Along the last batch axis, its matrices are `step` bytes apart. */
static Group group_of(const Call *call, Matrix first, size_t operand) {
  const uint32_t *given = (const uint32_t *)(call + 1) + call->axes + operand * (2 + call->axes);
  return (Group){first, call->axes == 0 ? 0 : given[1 + call->axes]};
}

#endif
