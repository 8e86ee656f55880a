/*
 * The products of attention that run along the rows of an operand, for a slice of each row as wide as one vector of
 * type SLICE. Included once for each width, with SLICED(name) naming the functions.
 *
 * `numbers` has LANES numbers per column: one for each row of the strip. Sums run in ascending order of columns, or of
 * rows, and hidden values never enter one. So they are computed for all rows together where all see the column,
 * otherwise row by row.
 */

INLINE SLICE SLICED(load_slice)(const char *at) {
  SLICE slice;
  memcpy(&slice, at, sizeof slice);
  return slice;
}

INLINE void SLICED(store_slice)(char *at, SLICE slice) { memcpy(at, &slice, sizeof slice); }

/* y[row] += Σ numbers[row, column]·b[column]. The sums of all rows stay in registers. */
static void SLICED(add_sums)(const Strip *strip, char *y, size_t y_row, const char *numbers, const char *b, size_t b_row) {
  SLICE sums[LANES];
#pragma GCC unroll 16
  for (size_t r = 0; r < LANES; r++) sums[r] = r < strip->rows ? SLICED(load_slice)(y + r * y_row) : (SLICE){0};
  const char *weights = numbers, *at = b;
  for (size_t column = 0; column < strip->shared; column++, weights += 4 * LANES, at += b_row) {
    const SLICE part = SLICED(load_slice)(at);
#pragma GCC unroll 16
    for (size_t r = 0; r < LANES; r++) sums[r] = sums[r] + load_one(weights + 4 * r) * part;
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < LANES; r++)
    if (r < strip->rows) SLICED(store_slice)(y + r * y_row, sums[r]);
  for (size_t r = 0; r < strip->rows; r++) {
    if (strip->seen[r] == strip->shared) continue;
    SLICE sum = SLICED(load_slice)(y + r * y_row);
    for (size_t column = strip->shared; column < strip->seen[r]; column++)
      sum = sum + load_one(numbers + 4 * (LANES * column + r)) * SLICED(load_slice)(b + column * b_row);
    SLICED(store_slice)(y + r * y_row, sum);
  }
}

/* y[column] += numbers[row, column]·a[row], one row after the other, for `count` columns that all rows see. */
INLINE void SLICED(add_columns)(const int count, char *y, size_t y_row, const char *numbers, const SLICE *rows) {
  SLICE sums[COLUMNS];
#pragma GCC unroll 4
  for (int j = 0; j < count; j++) sums[j] = SLICED(load_slice)(y + j * y_row);
#pragma GCC unroll 16
  for (int r = 0; r < LANES; r++)
#pragma GCC unroll 4
    for (int j = 0; j < count; j++) sums[j] = sums[j] + load_one(numbers + 4 * (LANES * j + r)) * rows[r];
#pragma GCC unroll 4
  for (int j = 0; j < count; j++) SLICED(store_slice)(y + j * y_row, sums[j]);
}

/* y[column] += numbers[row, column]·a[row]. The slices of all rows stay in registers. */
static void SLICED(add_outer)(const Strip *strip, char *y, size_t y_row, const char *numbers, const char *a, size_t a_row) {
  size_t shared = 0;
  if (strip->rows == LANES) {
    SLICE rows[LANES];
#pragma GCC unroll 16
    for (size_t r = 0; r < LANES; r++) rows[r] = SLICED(load_slice)(a + r * a_row);
    for (; shared + COLUMNS <= strip->shared; shared += COLUMNS)
      SLICED(add_columns)(COLUMNS, y + shared * y_row, y_row, numbers + 4 * LANES * shared, rows);
    for (; shared < strip->shared; shared++)
      SLICED(add_columns)(1, y + shared * y_row, y_row, numbers + 4 * LANES * shared, rows);
  }
  for (size_t r = 0; r < strip->rows; r++) {
    const SLICE row = SLICED(load_slice)(a + r * a_row);
    for (size_t column = shared; column < strip->seen[r]; column++) {
      char *at = y + column * y_row;
      SLICED(store_slice)(at, SLICED(load_slice)(at) + load_one(numbers + 4 * (LANES * column + r)) * row);
    }
  }
}
