/*
 * A few rows times a matrix whose rows are contiguous, as in token-by-token generation. B is read in place, because packing
 * it would cost more than the product. The sums stay in registers from the first k to the last.
 */
#ifndef NOPEEK_GEMM_ROW_H
#define NOPEEK_GEMM_ROW_H

#include "vector.h"

/* From this many rows on, B is packed. */
enum { FEW_ROWS = LANES == 4 ? 8 : 13 };

/* Rows that share one pass over B. */
enum { ROWS_AT_ONCE = 4 };

/* Vectors of sums: enough of them that an addition need not wait for the last one to the same vector. */
enum { SUM_VECTORS = 8 };

/* Rows of A and of C, and the initial sums of each row. No `start` means zeros. Strides count bytes. */
typedef struct {
  char *c;
  size_t c_row;
  const char *start;
  size_t start_row;
  const char *a;
  size_t a_row, a_step;
} Rows;

/* c[i, j] = start[i, j] + Σ_k a[i, k]·b[k, j] for `vectors` vectors of columns, from byte `at` of each row of C and B. */
INLINE void multiply_columns(
    const int rows, const int vectors, const Rows *of, size_t at, const char *b, size_t b_row, size_t inner
) {
  Vector sums[ROWS_AT_ONCE][SUM_VECTORS];
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++)
      sums[i][j] = of->start == NULL ? splat(0) : load(of->start + i * of->start_row + at + j * 4 * LANES);
  const char *a = of->a;
  b += at;
  for (size_t k = 0; k < inner; k++, a += of->a_step, b += b_row) {
    Vector numbers[ROWS_AT_ONCE];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) numbers[i] = splat(load_one(a + i * of->a_row));
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++) {
      const Vector term = load(b + j * 4 * LANES);
#pragma GCC unroll 4
      for (int i = 0; i < rows; i++) sums[i][j] = sums[i][j] + numbers[i] * term;
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++) store(of->c + i * of->c_row + at + j * 4 * LANES, sums[i][j]);
}

INLINE void multiply_few(const int rows, const Rows *of, size_t columns, const char *b, size_t b_row, size_t inner) {
  const int vectors = rows == 1 ? SUM_VECTORS : rows == 2 ? SUM_VECTORS / 2 : LANES == 16 ? 4 : 2;
  size_t column = 0;
  for (; column + vectors * LANES <= columns; column += vectors * LANES)
    multiply_columns(rows, vectors, of, 4 * column, b, b_row, inner);
  for (; column + LANES <= columns; column += LANES) multiply_columns(rows, 1, of, 4 * column, b, b_row, inner);
  for (; column < columns; column++)
    for (int i = 0; i < rows; i++) {
      const char *a = of->a + i * of->a_row;
      float sum = of->start == NULL ? 0 : load_one(of->start + i * of->start_row + 4 * column);
      for (size_t k = 0; k < inner; k++) sum = sum + load_one(a + k * of->a_step) * load_one(b + 4 * column + k * b_row);
      store_one(of->c + i * of->c_row + 4 * column, sum);
    }
}

static void multiply_few_rows(
    size_t rows, Rows of, size_t columns, const char *b, size_t b_row, size_t inner
) {
  while (rows > 0) {
    const size_t together = least(ROWS_AT_ONCE, rows);
    switch (together) {
#define CASE(n) \
  case n: \
    multiply_few(n, &of, columns, b, b_row, inner); \
    break;
      CASE(1) CASE(2) CASE(3) CASE(4)
#undef CASE
    }
    of.c += together * of.c_row;
    of.a += together * of.a_row;
    if (of.start != NULL) of.start += together * of.start_row;
    rows -= together;
  }
}

#endif
