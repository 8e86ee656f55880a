/*
 * The arguments of an attention kernel, and what it derives from them for one matrix of the batch and for one strip of
 * its rows: ../../wasm/kernels/attention-call.ts with strips of LANES rows. Lane r of a vector belongs to row r.
 */
#ifndef NOPEEK_ATTENTION_STRIP_H
#define NOPEEK_ATTENTION_STRIP_H

#include "vector.h"

/* As in attention-call.ts. The sizes of the batch axes follow, then the operands. */
typedef struct {
  uint32_t rows, columns, width_bytes;
  float scale;
  int32_t diagonal;
  uint32_t windows;
  uint32_t dropping, drop_threshold, key0, key1;
  float keep_factor;
  uint32_t max, sum;
  uint32_t accumulate_dq, accumulate_dk, accumulate_dv;
  uint32_t axes;
} Call;

/* One matrix of an operand. The numbers of a row are contiguous. */
typedef struct {
  char *at;
  size_t row;
} Matrix;

/* The columns that the rows of one matrix see. Row i sees columns 0 … clamp(seen_by_first + i, 0, columns) − 1. */
typedef struct {
  int32_t from, columns, seen_by_first;
} Window;

/* Rows that are computed together. */
typedef struct {
  /* The first row, within its matrix, and the number of rows: LANES, or fewer at the end. */
  size_t row, rows;
  /* Row r sees columns 0 … seen[r] − 1 of the window. A lane without a row sees none. */
  Bits seen;
  /* All rows see the first `shared` columns; none sees more than `most`. */
  size_t shared, most;
} Strip;

/* Finds matrix `index` of each operand; the last batch axis is the fastest. */
static void find_matrices(Matrix *matrices, char *base, const Call *call, size_t operands, size_t index) {
  const size_t axes = call->axes;
  const uint32_t *sizes = (const uint32_t *)(call + 1);
  /* An operand: the address of its first matrix, the bytes between rows, and between matrices along each axis. */
  const uint32_t *given = sizes + axes;
  for (size_t i = 0; i < operands; i++, given += 2 + axes) {
    matrices[i] = (Matrix){base + given[0], given[1]};
    size_t left = index;
    for (size_t axis = axes; axis-- > 0; left /= sizes[axis]) matrices[i].at += left % sizes[axis] * given[2 + axis];
  }
}

/* A window belongs to one index of the first batch axis; all other axes share it. */
static Window find_window(const char *base, const Call *call, size_t index) {
  if (call->windows == 0) return (Window){0, call->columns, call->diagonal + 1};
  const uint32_t *sizes = (const uint32_t *)(call + 1);
  for (size_t axis = call->axes; axis-- > 1;) index /= sizes[axis];
  const char *range = base + call->windows + 12 * index;
  const int32_t from = (int32_t)load_one(range), end = (int32_t)load_one(range + 4);
  return (Window){from, end - from, (int32_t)load_one(range + 8) + 1 - from};
}

/* The strip that begins at `row`. Lanes whose bit of `skipped` is set see nothing. */
static Strip take_strip(const Call *call, Window window, size_t row, uint32_t skipped) {
  Strip strip = {.row = row, .rows = least(LANES, call->rows - row), .shared = SIZE_MAX};
  for (size_t r = 0; r < LANES; r++) {
    const int32_t below = window.seen_by_first + (int32_t)(row + r);
    const int32_t seen = below < window.columns ? below : window.columns;
    const int is_blind = seen < 0 || r >= strip.rows || skipped >> r & 1;
    strip.seen[r] = is_blind ? 0 : seen;
    if (r < strip.rows) strip.shared = least(strip.shared, strip.seen[r]);
    if (strip.seen[r] > strip.most) strip.most = strip.seen[r];
  }
  return strip;
}

/* The first number of row r of the strip. */
INLINE char *row_of(const Strip *strip, Matrix matrix, size_t r) { return matrix.at + (strip->row + r) * matrix.row; }

#endif
