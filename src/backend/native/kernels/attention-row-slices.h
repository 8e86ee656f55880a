/*
 * A slice of the weighted sums of attention-row.h: SLICES vectors of type SLICE of the row of each of `count` matrices.
 * Included once for each width, with SLICED(name) naming the function.
 */
INLINE void SLICED(add_slices)(
    const int count, char *y, size_t y_step, const char *numbers, const char *b, size_t b_step, size_t b_row, size_t columns
) {
  SLICE sums[GROUP][SLICES];
#pragma GCC unroll 4
  for (int r = 0; r < count; r++) memcpy(sums[r], y + r * y_step, sizeof sums[r]);
  for (size_t column = 0; column < columns; column++, numbers += 16, b += b_row) {
#pragma GCC unroll 4
    for (int r = 0; r < count; r++) {
      SLICE parts[SLICES];
      memcpy(parts, b + r * b_step, sizeof parts);
#pragma GCC unroll 2
      for (int i = 0; i < SLICES; i++) sums[r][i] = sums[r][i] + load_one(numbers + 4 * r) * parts[i];
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < count; r++) memcpy(y + r * y_step, sums[r], sizeof sums[r]);
}
