/* Cross-entropy of rows begin … end−1 of logits: kernels of ../../wasm/kernels/cross-entropy.ts. */
#include "row.h"

/* loss = log sum − (x[target] − max). A target below 0 is ignored. */
void EXPORTED(crossEntropyRows)(
    uintptr_t memory, uint32_t loss, uint32_t max, uint32_t sum, uint32_t x, uint32_t targets, uint32_t columns,
    uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  for (size_t row = begin; row < end; row++) {
    const char *from = base + x + 4 * row * columns;
    const float largest = row_max(from, columns);
    const float total = row_exp_sum(from, shift_of(largest), columns);
    store_one(base + max + 4 * row, largest);
    store_one(base + sum + 4 * row, total);
    const float log_sum = log_of(splat(total))[0];
    const int32_t target = (int32_t)load_one(base + targets + 4 * row);
    store_one(base + loss + 4 * row, target < 0 ? 0 : log_sum - (load_one(from + 4 * (size_t)target) - largest));
  }
}

/* dx = dLoss·(exp(x − max)/sum − [column = target]). */
void EXPORTED(crossEntropyRowsBackward)(
    uintptr_t memory, uint32_t dx, uint32_t d_loss, uint32_t x, uint32_t max, uint32_t sum, uint32_t targets,
    uint32_t columns, uint32_t accumulate, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  const Bits one = (Bits)splat(1);
  for (size_t row = begin; row < end; row++) {
    char *to = base + dx + 4 * row * columns;
    const char *from = base + x + 4 * row * columns;
    const int32_t target = (int32_t)load_one(base + targets + 4 * row);
    if (target < 0) {
      if (!accumulate) memset(to, 0, 4 * (size_t)columns);
      continue;
    }
    const float largest = load_one(base + max + 4 * row);
    const float share = 1 / load_one(base + sum + 4 * row);
    const float derivative = load_one(base + d_loss + 4 * row);
    FOR_EACH_VECTOR(at, count, 0, columns) {
      const Vector hit = (Vector)(one & (Bits)(indices_from(at / 4) == (uint32_t)target));
      const Vector probability = exp_of_negative(load_some(from + at, count, 0) - largest) * share;
      put_some(to + at, derivative * (probability - hit), count, accumulate);
    }
  }
}
