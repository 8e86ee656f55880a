/* Dropout and rotation: kernels of ../../wasm/kernels/dropout.ts and rotate.ts. */
#include "math.h"

/* y = factor·x, or 0 if the hash of the element's index is below `threshold`; for elements begin … end−1. */
void EXPORTED(dropout)(
    uintptr_t memory, uint32_t y, uint32_t x, uint32_t key0, uint32_t key1, uint32_t threshold, float factor,
    uint32_t accumulate, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  FOR_EACH_VECTOR(at, count, begin, end) {
    const Vector scaled = load_some(base + x + at, count, 0) * factor;
    put_some(base + y + at, drop(scaled, indices_from(at / 4), key0, key1, threshold), count, accumulate);
  }
}

/* Rotates points in rows begin … end−1, each of `groups` runs of 2·half columns. */
void EXPORTED(rotateRows)(
    uintptr_t memory, uint32_t y, uint32_t x, uint32_t table, uint32_t positions, uint32_t groups, uint32_t half,
    uint32_t backwards, uint32_t accumulate, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  const size_t half_bytes = 4 * (size_t)half;
  for (size_t row = begin; row < end; row++) {
    const size_t position = (int32_t)load_one(base + positions + 4 * row);
    const char *cosines = base + table + 2 * position * half_bytes, *sines = cosines + half_bytes;
    for (size_t group = row * groups; group < (row + 1) * groups; group++) {
      const char *from = base + x + 2 * group * half_bytes;
      char *to = base + y + 2 * group * half_bytes;
      FOR_EACH_VECTOR(at, count, 0, half) {
        const Vector a = load_some(from + at, count, 0), b = load_some(from + half_bytes + at, count, 0);
        const Vector cosine = load_some(cosines + at, count, 0), forwards = load_some(sines + at, count, 0);
        const Vector sine = backwards ? -forwards : forwards;
        put_some(to + at, a * cosine - b * sine, count, accumulate);
        put_some(to + half_bytes + at, a * sine + b * cosine, count, accumulate);
      }
    }
  }
}
