/*
 * Fused attention: the kernels of ../../wasm/kernels/attention-forward.ts and attention-backward.ts, with the same
 * arguments and bits. With f the dropout factors:
 *
 *   s = scale·q·kᵀ                               over visible pairs only
 *   p = exp(s − max s),  w = f ⊙ p / Σ p         row by row
 *   y = w·v                                      saved for backward: max s, Σ p
 *
 *   dp = f ⊙ (dy·vᵀ)
 *   ds = scale·p ⊙ (dp − ⟨dy, y⟩)                p recomputed, divided by its sum
 *   dq = ds·k,  dk = dsᵀ·q,  dv = (f ⊙ p)ᵀ·dy
 *
 * A strip of LANES rows is computed together, and its scores are stored column by column: one vector is one column, and
 * lane r is row r. So the sums of softmax are sums of vectors, and run in ascending order of columns. Only a dot product
 * adds inside a row: as in WebAssembly, four partial sums, combined as (0 + 2) + (1 + 3).
 *
 * Source: Dao 2023, FlashAttention-2, algorithms 1 and 2.
 */
#include "attention-row.h"
#include "attention-strip.h"
#include "math.h"

/* Columns that are computed together: with four partial sums each, they fill the registers. */
enum { COLUMNS = LANES == 16 ? 4 : 2, VECTOR_BYTES = 4 * LANES };

#define SLICE Vector
#define SLICED(name) name##_wide
#include "attention-slices.h"
#undef SLICE
#undef SLICED
/* What is left of a row that is no multiple of LANES. */
#define SLICE Four
#define SLICED(name) name##_four
#include "attention-slices.h"

/* y[row] += Σ numbers[row, column]·b[column]. */
static void add_sums(const Call *call, const Strip *strip, Matrix y, const char *numbers, Matrix b) {
  char *first = row_of(strip, y, 0);
  size_t d = 0;
  for (; d + VECTOR_BYTES <= call->width_bytes; d += VECTOR_BYTES)
    add_sums_wide(strip, first + d, y.row, numbers, b.at + d, b.row);
  for (; d < call->width_bytes; d += 16) add_sums_four(strip, first + d, y.row, numbers, b.at + d, b.row);
}

/* y[column] += numbers[row, column]·a[row]. */
static void add_outer(const Call *call, const Strip *strip, Matrix y, const char *numbers, Matrix a) {
  const char *first = row_of(strip, a, 0);
  size_t d = 0;
  for (; d + VECTOR_BYTES <= call->width_bytes; d += VECTOR_BYTES)
    add_outer_wide(strip, y.at + d, y.row, numbers, first + d, a.row);
  for (; d < call->width_bytes; d += 16) add_outer_four(strip, y.at + d, y.row, numbers, first + d, a.row);
}

/* numbers[row, column] = factor·⟨a[row], b[column]⟩ for `count` columns. `turned` has one vector per number of a row. */
INLINE void dot_columns(
    const int count, char *numbers, const char *turned, const char *b, size_t b_row, size_t width_bytes, float factor
) {
  Vector sums[COLUMNS][4];
#pragma GCC unroll 4
  for (int j = 0; j < count; j++)
#pragma GCC unroll 4
    for (int part = 0; part < 4; part++) sums[j][part] = splat(0);
  for (size_t d = 0; d < width_bytes; d += 16) {
#pragma GCC unroll 4
    for (int part = 0; part < 4; part++) {
      const Vector x = load(turned + part * VECTOR_BYTES);
#pragma GCC unroll 4
      for (int j = 0; j < count; j++)
        sums[j][part] = sums[j][part] + x * splat(load_one(b + j * b_row + d + 4 * part));
    }
    turned += 4 * VECTOR_BYTES;
  }
#pragma GCC unroll 4
  for (int j = 0; j < count; j++) {
    const Vector even = sums[j][0] + sums[j][2], odd = sums[j][1] + sums[j][3];
    store(numbers + j * VECTOR_BYTES, splat(factor) * (even + odd));
  }
}

/* numbers[row, column] = factor·⟨a[row], b[column]⟩ for the columns that a row of the strip sees. Turns a into `turned`. */
static void dot_products(
    const Call *call, const Strip *strip, char *numbers, Matrix a, Matrix b, float factor, char *turned
) {
  const size_t width = call->width_bytes / 4, rows = strip->rows;
  const char *from = row_of(strip, a, 0);
  if (rows == LANES) {
    for (size_t r = 0; r < LANES; r += 4) transpose_four(turned + 4 * r, VECTOR_BYTES, from + r * a.row, a.row, width);
  } else {
    for (size_t d = 0; d < width; d++)
      for (size_t r = 0; r < LANES; r++)
        store_one(turned + 4 * (LANES * d + r), r < rows ? load_one(from + r * a.row + 4 * d) : 0);
  }
  size_t column = 0;
  for (; column + COLUMNS <= strip->most; column += COLUMNS)
    dot_columns(
        COLUMNS, numbers + VECTOR_BYTES * column, turned, b.at + column * b.row, b.row, call->width_bytes, factor
    );
  for (; column < strip->most; column++)
    dot_columns(1, numbers + VECTOR_BYTES * column, turned, b.at + column * b.row, b.row, call->width_bytes, factor);
}

/* For dropout: the element indices of a strip in column 0 of the window. Add 1 for the next column. */
static Bits indices_of(const Call *call, const Strip *strip, Window window, size_t matrix) {
  const uint32_t first = (uint32_t)(matrix * call->rows + strip->row) * call->columns + (uint32_t)window.from;
  Bits indices;
  for (uint32_t r = 0; r < LANES; r++) indices[r] = first + r * call->columns;
  return indices;
}

/* One number for each row of the strip; 0 in lanes without a row. */
static Vector load_rows(const char *at, size_t rows) {
  Vector numbers = {0};
  memcpy(&numbers, at, 4 * rows);
  return numbers;
}

/* Turns scores into weights. Columns that a row does not see get 0. Saves the statistics of each row. */
static void softmax(const Call *call, const Strip *strip, char *numbers, char *max_at, char *sum_at, Bits indices) {
  const char *end = numbers + VECTOR_BYTES * strip->most;
  uint32_t column = strip->shared;
  for (char *at = numbers + VECTOR_BYTES * strip->shared; at < end; at += VECTOR_BYTES, column++)
    store(at, choose((Bits)(column < strip->seen), load(at), splat(-INFINITY)));
  /* This maximum ignores NaN, but exp does not, so the sum is NaN. */
  Vector max = splat(-INFINITY);
  for (const char *at = numbers; at < end; at += VECTOR_BYTES) max = pmax(max, load(at));
  /* A row that sees nothing, or only −∞, is shifted by 0, because −∞ − max would be NaN. */
  const Vector shift = choose((Bits)(max == splat(-INFINITY)), splat(0), max);
  Vector sum = splat(0);
  for (char *at = numbers; at < end; at += VECTOR_BYTES) {
    const Vector p = exp_of_negative(load(at) - shift);
    store(at, p);
    sum = sum + p;
  }
  memcpy(max_at, &max, 4 * strip->rows);
  memcpy(sum_at, &sum, 4 * strip->rows);
  /* A row that sees nothing has sum 0; its weights are 0. */
  const Vector factor = choose((Bits)(sum == splat(0)), splat(0), splat(call->keep_factor) / sum);
  for (char *at = numbers; at < end; at += VECTOR_BYTES, indices += 1) {
    const Vector weight = factor * load(at);
    store(at, call->dropping ? drop(weight, indices, call->key0, call->key1, call->drop_threshold) : weight);
  }
}

/* Attends `count` neighbors of one row each, of which `of` is the first. `columns` of the window are seen. */
static void attend_group(
    const Call *call, char *base, const Matrix *of, size_t matrix, size_t count, size_t columns, char *scratch
) {
  enum { Y, Q, K, V };
  /* Scores row by row, then column by column; both have room for whole vectors. */
  const size_t padded = (columns + 3) & ~(size_t)3;
  char *scores = scratch, *numbers = scratch + 4 * GROUP * padded;
  const Group q = group_of(call, of[Q], Q), k = group_of(call, of[K], K);
  memset(scores, 0, 4 * GROUP * padded);
  for (size_t r = 0; r < count; r++) {
    const Matrix keys = {k.first.at + r * k.step, k.first.row};
    dots_of_row(scores + 4 * r * padded, q.first.at + r * q.step, keys, columns, call->width_bytes, call->scale);
  }
  transpose_four(numbers, 16, scores, 4 * padded, padded);
  char *max = base + call->max + 4 * matrix, *sum = base + call->sum + 4 * matrix;
  softmax_of_group(numbers, columns, call->keep_factor, max, sum, count);
  sum_group(count, group_of(call, of[Y], Y), numbers, group_of(call, of[V], V), columns, call->width_bytes);
}

/* Matrices begin … end−1 of the batch. `scratch` has LANES numbers for each column, and for each number of a row. */
void EXPORTED(attention)(uintptr_t memory, uint32_t parameters, uint32_t begin, uint32_t end, uint32_t scratch) {
  enum { Y, Q, K, V, OPERANDS };
  char *base = (char *)memory;
  const Call *call = (const Call *)(base + parameters);
  char *numbers = base + scratch;
  char *turned = numbers + VECTOR_BYTES * (size_t)call->columns;
  for (size_t matrix = begin; matrix < end; matrix++) {
    Matrix of[OPERANDS];
    find_matrices(of, base, call, OPERANDS, matrix);
    const Window window = find_window(base, call, matrix);
    of[K].at += window.from * of[K].row;
    of[V].at += window.from * of[V].row;
    if (call->rows == 1 && !call->dropping) {
      const size_t count = count_neighbors(call, matrix, end);
      attend_group(call, base, of, matrix, count, take_strip(call, window, 0, 0).most, numbers);
      matrix += count - 1;
      continue;
    }
    for (size_t row = 0; row < call->rows; row += LANES) {
      const Strip strip = take_strip(call, window, row, 0);
      const size_t at = 4 * (matrix * call->rows + row);
      dot_products(call, &strip, numbers, of[Q], of[K], call->scale, turned);
      const Bits indices = indices_of(call, &strip, window, matrix);
      softmax(call, &strip, numbers, base + call->max + at, base + call->sum + at, indices);
      for (size_t r = 0; r < strip.rows; r++) memset(row_of(&strip, of[Y], r), 0, call->width_bytes);
      add_sums(call, &strip, of[Y], numbers, of[V]);
    }
  }
}

/* ⟨a[row], b[row]⟩ for each row of the strip. */
static Vector dots_of_rows(const Call *call, const Strip *strip, Matrix a, Matrix b) {
  Vector dots = splat(0);
  for (size_t r = 0; r < strip->rows; r++) {
    Four sums = {0};
    for (size_t d = 0; d < call->width_bytes; d += 16)
      sums = sums + load_four(row_of(strip, a, r) + d) * load_four(row_of(strip, b, r) + d);
    dots[r] = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  }
  return dots;
}

/* In `p`, replaces s by f ⊙ p; in `ds`, replaces dp (before dropout) by ds. */
static void softmax_backward(
    const Call *call, char *p, char *ds, size_t columns, Vector max, Vector share, Vector dots, Bits indices
) {
  for (const char *end = p + VECTOR_BYTES * columns; p < end; p += VECTOR_BYTES, ds += VECTOR_BYTES, indices += 1) {
    const Vector weight = share * exp_of_negative(load(p) - max);
    Vector d_weight = load(ds), dropped = weight;
    if (call->dropping) {
      d_weight = drop(d_weight, indices, call->key0, call->key1, call->drop_threshold);
      dropped = drop(weight * call->keep_factor, indices, call->key0, call->key1, call->drop_threshold);
    }
    store(p, dropped);
    store(ds, splat(call->scale) * (weight * (d_weight - dots)));
  }
}

/* Sets `rows` rows of a matrix to 0. */
static void clear(Matrix matrix, size_t rows, size_t width_bytes) {
  for (size_t row = 0; row < rows; row++) memset(matrix.at + row * matrix.row, 0, width_bytes);
}

/* Matrices begin … end−1 of the batch. `scratch` has twice the numbers that `attention` needs. */
void EXPORTED(attentionBackward)(
    uintptr_t memory, uint32_t parameters, uint32_t begin, uint32_t end, uint32_t scratch
) {
  enum { DQ, DK, DV, DY, Y, Q, K, V, OPERANDS };
  char *base = (char *)memory;
  const Call *call = (const Call *)(base + parameters);
  char *p = base + scratch;
  char *ds = p + VECTOR_BYTES * (size_t)call->columns;
  char *turned = ds + VECTOR_BYTES * (size_t)call->columns;
  for (size_t matrix = begin; matrix < end; matrix++) {
    Matrix of[OPERANDS];
    find_matrices(of, base, call, OPERANDS, matrix);
    if (!call->accumulate_dq) clear(of[DQ], call->rows, call->width_bytes);
    if (!call->accumulate_dk) clear(of[DK], call->columns, call->width_bytes);
    if (!call->accumulate_dv) clear(of[DV], call->columns, call->width_bytes);
    const Window window = find_window(base, call, matrix);
    of[DK].at += window.from * of[DK].row;
    of[DV].at += window.from * of[DV].row;
    of[K].at += window.from * of[K].row;
    of[V].at += window.from * of[V].row;
    for (size_t row = 0; row < call->rows; row += LANES) {
      const size_t at = 4 * (matrix * call->rows + row), rows = least(LANES, call->rows - row);
      const Vector max = load_rows(base + call->max + at, rows), sum = load_rows(base + call->sum + at, rows);
      /* A row that sees nothing, or only −∞, has weights of 0. It is skipped, because 0·∞ would be NaN. */
      uint32_t blind = 0;
      for (size_t r = 0; r < LANES; r++) blind |= (uint32_t)(sum[r] == 0) << r;
      const Strip strip = take_strip(call, window, row, blind);
      dot_products(call, &strip, p, of[Q], of[K], call->scale, turned);
      dot_products(call, &strip, ds, of[DY], of[V], call->keep_factor, turned);
      const Vector dots = dots_of_rows(call, &strip, of[DY], of[Y]);
      const Bits indices = indices_of(call, &strip, window, matrix);
      softmax_backward(call, p, ds, strip.most, max, 1 / sum, dots, indices);
      add_sums(call, &strip, of[DQ], ds, of[K]);
      add_outer(call, &strip, of[DK], ds, of[Q]);
      add_outer(call, &strip, of[DV], p, of[DY]);
    }
  }
}
