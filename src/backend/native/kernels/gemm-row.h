/*
 * One row times a matrix whose rows are contiguous, as in token-by-token generation. B is read in place, because packing
 * it would cost more than the product. The sums stay in registers from the first k to the last.
 */
#ifndef NOPEEK_GEMM_ROW_H
#define NOPEEK_GEMM_ROW_H

#include "vector.h"

/* Vectors of sums: enough of them that an addition need not wait for the last one to the same vector. */
enum { ROW_VECTORS = 8 };

/* c[j] = start[j] + Σ_k a[k]·b[k, j] for `vectors` vectors of columns. No `start` means zeros. */
INLINE void multiply_columns(
    const int vectors, char *c, const char *start, const char *a, size_t a_step, const char *b, size_t b_row, size_t inner
) {
  Vector sums[ROW_VECTORS];
#pragma GCC unroll 8
  for (int j = 0; j < vectors; j++) sums[j] = start == NULL ? splat(0) : load(start + j * 4 * LANES);
  for (size_t k = 0; k < inner; k++, a += a_step, b += b_row) {
    const Vector number = splat(load_one(a));
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++) sums[j] = sums[j] + number * load(b + j * 4 * LANES);
  }
#pragma GCC unroll 8
  for (int j = 0; j < vectors; j++) store(c + j * 4 * LANES, sums[j]);
}

static void multiply_row(
    char *c, const char *start, size_t columns, const char *a, size_t a_step, const char *b, size_t b_row, size_t inner
) {
  size_t column = 0;
#define AT(from) ((from) == NULL ? NULL : (from) + 4 * column)
  for (; column + ROW_VECTORS * LANES <= columns; column += ROW_VECTORS * LANES)
    multiply_columns(ROW_VECTORS, AT(c), AT(start), a, a_step, AT(b), b_row, inner);
  for (; column + LANES <= columns; column += LANES)
    multiply_columns(1, AT(c), AT(start), a, a_step, AT(b), b_row, inner);
  for (; column < columns; column++) {
    float sum = start == NULL ? 0 : load_one(AT(start));
    for (size_t k = 0; k < inner; k++) sum = sum + load_one(a + k * a_step) * load_one(AT(b) + k * b_row);
    store_one(AT(c), sum);
  }
#undef AT
}

#endif
