/*
 * The norms of rows: kernels of ../../wasm/kernels/normalize.ts, which explains the formulas. A mean, weight or bias of 0
 * means none.
 */
#include "row.h"

/* Rows begin … end−1, each in three passes while it is in cache: mean, variance, result. */
void EXPORTED(normalizeRows)(
    uintptr_t memory, uint32_t y, uint32_t mean, uint32_t inverse_deviation, uint32_t x, uint32_t weight, uint32_t bias,
    uint32_t columns, float epsilon, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  for (size_t row = begin; row < end; row++) {
    const char *from = base + x + 4 * row * columns;
    char *to = base + y + 4 * row * columns;
    const float center = mean ? row_sum(from, columns) / columns : 0;
    const float variance = row_squared_deviation(from, center, columns) / columns;
    const float inverse = 1 / sqrtf(variance + epsilon);
    if (mean) store_one(base + mean + 4 * row, center);
    store_one(base + inverse_deviation + 4 * row, inverse);
    FOR_EACH_VECTOR(at, count, 0, columns) {
      Vector value = (load_some(from + at, count, 0) - center) * inverse;
      if (weight) value = value * load_some(base + weight + at, count, 0);
      if (bias) value = value + load_some(base + bias + at, count, 0);
      store_some(to + at, value, count);
    }
  }
}

/* g = dy ⊙ weight and g ⊙ (x − center), added up in two sums each: columns 0 … 3 and 4 … 7, and so on. */
typedef struct {
  Four sums[2], dots[2];
} Sums;

INLINE void add_four(Sums *to, int which, Four g, Four dot) {
  to->sums[which] = to->sums[which] + g;
  to->dots[which] = to->dots[which] + dot;
}

INLINE Sums sums_of_row(const char *dy, const char *x, const char *weight, float center, size_t columns) {
  Sums sums = {0};
  size_t j = 0;
  for (; j + 16 <= columns; j += 16) {
    Vector gs[PARTS], dots[PARTS];
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) {
      const size_t at = 4 * (j + part * LANES);
      gs[part] = weight ? load(dy + at) * load(weight + at) : load(dy + at);
      dots[part] = gs[part] * (load(x + at) - center);
    }
    Four g[4], dot[4];
    memcpy(g, gs, sizeof g);
    memcpy(dot, dots, sizeof dot);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) add_four(&sums, i & 1, g[i], dot[i]);
  }
  for (int which = 0; j + 4 <= columns; j += 4, which ^= 1) {
    const Four g = weight ? load_four(dy + 4 * j) * load_four(weight + 4 * j) : load_four(dy + 4 * j);
    add_four(&sums, which, g, g * (load_four(x + 4 * j) - center));
  }
  if (j < columns) {
    Four g = load_part_of_four(dy + 4 * j, columns - j, 0);
    if (weight) g = g * load_part_of_four(weight + 4 * j, columns - j, 0);
    add_four(&sums, 1, g, g * (load_part_of_four(x + 4 * j, columns - j, 0) - center));
  }
  return sums;
}

/* dx of rows begin … end−1: inverseDeviation·(g − mean(g) − x̂·mean(g ⊙ x̂)) with g = dy ⊙ weight. */
void EXPORTED(normalizeRowsBackward)(
    uintptr_t memory, uint32_t dx, uint32_t dy, uint32_t x, uint32_t weight, uint32_t mean, uint32_t inverse_deviation,
    uint32_t columns, uint32_t accumulate, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  const char *weights = weight ? base + weight : NULL;
  for (size_t row = begin; row < end; row++) {
    const char *derivative = base + dy + 4 * row * columns, *from = base + x + 4 * row * columns;
    const float center = mean ? load_one(base + mean + 4 * row) : 0;
    const float inverse = load_one(base + inverse_deviation + 4 * row);
    const Sums sums = sums_of_row(derivative, from, weights, center, columns);
    /* A row that was not centered has no mean to subtract from its gradient. */
    const float mean_derivative = (mean ? sum_lanes(sums.sums[0] + sums.sums[1]) : 0) / columns;
    /* The second factor turns x − mean into x̂ below. */
    const float mean_dot = sum_lanes(sums.dots[0] + sums.dots[1]) * inverse / columns * inverse;
    FOR_EACH_VECTOR(at, count, 0, columns) {
      Vector g = load_some(derivative + at, count, 0);
      if (weights) g = g * load_some(weights + at, count, 0);
      const Vector along = (load_some(from + at, count, 0) - center) * mean_dot;
      put_some(base + dx + 4 * row * columns + at, inverse * (g - mean_derivative - along), count, accumulate);
    }
  }
}

/* A block of columns: as many vectors as a row of dy and of x is read at a time. */
enum { BLOCK = 8 };

/*
 * dWeight = Σ_rows dy ⊙ x̂ and dBias = Σ_rows dy, for columns begin … end−1, one row after the other. An address of 0 skips
 * that gradient.
 */
void EXPORTED(normalizeRowsBackwardColumns)(
    uintptr_t memory, uint32_t d_weight, uint32_t d_bias, uint32_t dy, uint32_t x, uint32_t mean,
    uint32_t inverse_deviation, uint32_t rows, uint32_t columns, uint32_t accumulate_weight, uint32_t accumulate_bias,
    uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  for (size_t first = begin; first < end; first += BLOCK * LANES) {
    const size_t width = least(BLOCK * LANES, end - first);
    Vector weights[BLOCK] = {0}, biases[BLOCK] = {0};
    for (size_t row = 0; row < rows; row++) {
      const size_t start = 4 * (row * columns + first);
      const float center = mean ? load_one(base + mean + 4 * row) : 0;
      const float inverse = load_one(base + inverse_deviation + 4 * row);
      FOR_EACH_VECTOR(at, count, 0, width) {
        const Vector derivative = load_some(base + dy + start + at, count, 0);
        const Vector normalized = (load_some(base + x + start + at, count, 0) - center) * inverse;
        Vector *weight = &weights[at / (4 * LANES)], *bias = &biases[at / (4 * LANES)];
        *bias = *bias + derivative;
        *weight = *weight + derivative * normalized;
      }
    }
    FOR_EACH_VECTOR(at, count, 0, width) {
      const size_t to = 4 * first + at, i = at / (4 * LANES);
      if (d_weight) put_some(base + d_weight + to, weights[i], count, accumulate_weight);
      if (d_bias) put_some(base + d_bias + to, biases[i], count, accumulate_bias);
    }
  }
}
