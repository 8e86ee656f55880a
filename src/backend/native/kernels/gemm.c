/*
 * Matrix products C = A·B, C = A·B + bias and C += A·B, over a batch of strided matrices: the kernel of
 * ../../wasm/kernels/gemm.ts, with the same arguments, parts and bits.
 *
 * Each element is ((start + a₀b₀) + a₁b₁) + …, with each product rounded before it is added. Each lane
 * holds one column of C, so lanes are never summed with each other and a tile may have any size. A block of k continues from the sum
 * that the previous block left in C. Pointers of a `Product` are addresses in the memory of the kernels, which begins
 * at `memory`. Strides count bytes.
 *
 * Blocks nest as in Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
 */
#include "gemm-row.h"
#include "vector.h"

/*
 * A tile of C has ROWS × (VECTORS · LANES) numbers. They stay in registers, with a row of B and a number of A. A panel
 * of B is 16 columns or fewer: with 384 terms, the largest block, it takes 24 KiB and stays in the L1 cache.
 */
#if LANES == 16
enum { ROWS = 12, VECTORS = 1 };
#elif LANES == 8
enum { ROWS = 6, VECTORS = 2 };
#else
enum { ROWS = 4, VECTORS = 2 };
#endif
enum { VECTOR_BYTES = 4 * LANES, TILE_COLUMNS = VECTORS * LANES };

/* As in ../../wasm/kernels/gemm-product.ts. */
typedef struct {
  uint32_t c, a, b;
  /* Address of one number per column, or 0 for none. */
  uint32_t bias;
  uint32_t accumulate;
  uint32_t rows, columns, inner;
  uint32_t c_row, c_column, a_row, a_column, b_row, b_column;
  /* The maximum rows and columns of a part. */
  uint32_t part_rows, part_columns;
  /* A block of A is (block_rows, block_inner), a block of B is (block_inner, block_columns). */
  uint32_t block_rows, block_inner, block_columns;
  /* The number of batch axes. A `BatchAxis` for each one follows, outermost first. */
  uint32_t axes;
} Product;

/* The size of a batch axis, and its stride in C, A and B. */
typedef struct {
  uint32_t size, c, a, b;
} BatchAxis;

/* A matrix, or a part of one. */
typedef struct {
  char *at;
  size_t row, column;
} Matrix;

/* Rows of A for one tile, and a packed panel of B. */
typedef struct {
  const char *a;
  size_t a_row, a_step;
  const char *b;
  size_t inner;
} Terms;

static const float zeros[TILE_COLUMNS];

/*
 * c[i, j] = start[i, j] + Σ_k a[i, k]·b[k, j], k ascending. `start` may be c itself. `rows`, `vectors` and `a_step` are
 * constants where this is inlined, so the loops over them become straight code.
 */
INLINE void multiply_tile(
    const int rows, const int vectors, const size_t a_step, //
    char *c, size_t c_row, const char *start, size_t start_row, const Terms *terms
) {
  Vector sums[ROWS][VECTORS];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) sums[i][j] = load(start + i * start_row + j * VECTOR_BYTES);
  const char *a = terms->a, *b = terms->b;
  const size_t a_row = terms->a_row;
  for (size_t k = terms->inner; k > 0; k--) {
    Vector terms_of_b[VECTORS];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) terms_of_b[j] = load(b + j * VECTOR_BYTES);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      const Vector number = splat(load_one(a + i * a_row));
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) sums[i][j] = sums[i][j] + number * terms_of_b[j];
    }
    a += a_step;
    b += vectors * VECTOR_BYTES;
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) store(c + i * c_row + j * VECTOR_BYTES, sums[i][j]);
}

/* `multiply_tile` for A in place or packed: the two steps that A has. */
INLINE void multiply_rows(
    const int rows, const int vectors, //
    char *c, size_t c_row, const char *start, size_t start_row, const Terms *terms
) {
  if (terms->a_step == 4) multiply_tile(rows, vectors, 4, c, c_row, start, start_row, terms);
  else multiply_tile(rows, vectors, 4 * ROWS, c, c_row, start, start_row, terms);
}

/* `multiply_rows` for 1 … ROWS rows. */
INLINE void multiply(
    size_t rows, const int vectors, //
    char *c, size_t c_row, const char *start, size_t start_row, const Terms *terms
) {
  switch (rows) {
#define CASE(n) \
  case n: \
    multiply_rows(n <= ROWS ? n : ROWS, vectors, c, c_row, start, start_row, terms); \
    break;
    CASE(1) CASE(2) CASE(3) CASE(4)
#if LANES >= 8
    CASE(5) CASE(6)
#endif
#if LANES >= 16
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
#undef CASE
  }
}

static void copy_tile(Matrix to, Matrix from, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++)
      store_one(to.at + i * to.row + j * to.column, load_one(from.at + i * from.row + j * from.column));
}

/* One tile of C. At an edge, or if the columns of C are not contiguous, it is computed in a buffer. */
static void compute_tile(Matrix c, Matrix start, size_t rows, size_t columns, const Terms *terms) {
  const size_t vectors = (columns + LANES - 1) / LANES;
  char buffer[ROWS * TILE_COLUMNS * 4];
  const Matrix aside = {buffer, 4 * TILE_COLUMNS, 4};
  const int in_place = columns == vectors * LANES && c.column == 4 && start.column == 4;
  if (!in_place) {
    /* Lanes that are not stored compute with zeros. */
    memset(buffer, 0, sizeof buffer);
    copy_tile(aside, start, rows, columns);
  }
  const Matrix from = in_place ? start : aside, to = in_place ? c : aside;
  if (vectors == VECTORS) multiply(rows, VECTORS, to.at, to.row, from.at, from.row, terms);
  else multiply(rows, 1, to.at, to.row, from.at, from.row, terms);
  if (!in_place) copy_tile(c, aside, rows, columns);
}

/* Packs `lanes` lanes with k as the slowest index, padded to `width` lanes with zeros. */
INLINE void pack(
    char *to, const char *from, size_t lane, size_t step, size_t lanes, const size_t width, size_t inner
) {
  if (lanes == width && lane == 4) {
    for (size_t k = 0; k < inner; k++) memcpy(to + 4 * width * k, from + k * step, 4 * width);
  } else if (lanes == width && step == 4 && width % 4 == 0) {
    for (size_t r = 0; r < width; r += 4) transpose_four(to + 4 * r, 4 * width, from + r * lane, lane, inner);
  } else {
    for (size_t k = 0; k < inner; k++)
      for (size_t r = 0; r < width; r++)
        store_one(to + 4 * (width * k + r), r < lanes ? load_one(from + r * lane + k * step) : 0);
  }
}

/* Packs a block of B: panels of TILE_COLUMNS columns, the last one as narrow as whole vectors allow. */
static void pack_columns(char *to, Matrix b, size_t columns, size_t inner) {
  for (size_t column = 0; column < columns; column += TILE_COLUMNS) {
    const size_t lanes = least(TILE_COLUMNS, columns - column);
    const char *from = b.at + column * b.column;
    if (lanes > LANES) pack(to, from, b.column, b.row, lanes, TILE_COLUMNS, inner);
    else pack(to, from, b.column, b.row, lanes, LANES, inner);
    to += 4 * TILE_COLUMNS * inner;
  }
}

/* Packs a block of A: panels of ROWS rows. */
static void pack_rows(char *to, Matrix a, size_t rows, size_t inner) {
  for (size_t row = 0; row < rows; row += ROWS) {
    pack(to, a.at + row * a.row, a.row, a.column, least(ROWS, rows - row), ROWS, inner);
    to += 4 * ROWS * inner;
  }
}

/* Multiplies a block of A, in place or packed, by the packed block of B. `start` holds the initial sums. */
static void multiply_panels(
    Matrix c, Matrix start, size_t start_step, size_t rows, size_t columns, //
    Matrix a, size_t a_panel, int is_packed, const char *packed_b, size_t inner
) {
  for (size_t column = 0; column < columns; column += TILE_COLUMNS) {
    const size_t width = least(TILE_COLUMNS, columns - column);
    for (size_t row = 0; row < rows; row += ROWS) {
      const Terms terms = {
          a.at + row / ROWS * a_panel, a.row, is_packed ? 4 * ROWS : 4, packed_b + 4 * column * inner, inner
      };
      const Matrix to = {c.at + row * c.row + column * c.column, c.row, c.column};
      const Matrix from = {start.at + row * start.row + column * start_step, start.row, start.column};
      compute_tile(to, from, least(ROWS, rows - row), width, &terms);
    }
  }
}

static void multiply_blocks(
    const Product *product, Matrix c, Matrix a, Matrix b, char *bias, size_t rows, size_t columns, char *scratch
) {
  const size_t block_rows = product->block_rows / ROWS * ROWS;
  char *packed_a = scratch;
  char *packed_b = scratch + 4 * (size_t)product->block_rows * product->block_inner;
  for (size_t column = 0; column < columns; column += product->block_columns) {
    const size_t width = least(product->block_columns, columns - column);
    for (size_t k = 0; k < product->inner; k += product->block_inner) {
      const size_t depth = least(product->block_inner, product->inner - k);
      const Matrix block_b = {b.at + k * b.row + column * b.column, b.row, b.column};
      pack_columns(packed_b, block_b, width, depth);
      for (size_t row = 0; row < rows; row += block_rows) {
        const size_t height = least(block_rows, rows - row);
        const Matrix to = {c.at + row * c.row + column * c.column, c.row, c.column};
        Matrix block_a = {a.at + row * a.row + k * a.column, a.row, a.column};
        size_t a_panel = ROWS * a.row;
        const int is_packed = a.column != 4;
        if (is_packed) {
          pack_rows(packed_a, block_a, height, depth);
          block_a = (Matrix){packed_a, 4, 4 * ROWS};
          a_panel = 4 * ROWS * depth;
        }
        /* Sums start from C itself, from the bias (the same for every row) or from zeros (the same everywhere). */
        Matrix start = {(char *)zeros, 0, 4};
        size_t start_step = 0;
        if (product->accumulate || k > 0) {
          start = to;
          start_step = to.column;
        } else if (bias != NULL) {
          start.at = bias + 4 * column;
          start_step = 4;
        }
        multiply_panels(to, start, start_step, height, width, block_a, a_panel, is_packed, packed_b, depth);
      }
    }
  }
}

/* Parts are numbered along the columns first, then down the rows, then by matrix. */
void EXPORTED(gemm)(uintptr_t memory, uint32_t parameters, uint32_t begin, uint32_t end, uint32_t scratch) {
  char *base = (char *)memory;
  const Product *product = (const Product *)(base + parameters);
  const BatchAxis *axes = (const BatchAxis *)(product + 1);
  const size_t across = (product->columns + product->part_columns - 1) / product->part_columns;
  const size_t down = (product->rows + product->part_rows - 1) / product->part_rows;
  for (size_t part = begin; part < end; part++) {
    const size_t column = part % across * product->part_columns;
    const size_t row = part / across % down * product->part_rows;
    Matrix c = {base + product->c + row * product->c_row, product->c_row, product->c_column};
    Matrix a = {base + product->a + row * product->a_row, product->a_row, product->a_column};
    Matrix b = {base + product->b, product->b_row, product->b_column};
    c.at += column * c.column;
    b.at += column * b.column;
    size_t matrix = part / across / down;
    for (size_t axis = product->axes; axis-- > 0; matrix /= axes[axis].size) {
      const size_t at = matrix % axes[axis].size;
      c.at += at * axes[axis].c;
      a.at += at * axes[axis].a;
      b.at += at * axes[axis].b;
    }
    char *bias = product->bias == 0 ? NULL : base + product->bias + 4 * column;
    const size_t rows = least(product->part_rows, product->rows - row);
    const size_t columns = least(product->part_columns, product->columns - column);
    if (rows < FEW_ROWS && b.column == 4 && c.column == 4) {
      const char *start = product->accumulate ? c.at : bias;
      const Rows few = {c.at, c.row, start, product->accumulate ? c.row : 0, a.at, a.row, a.column};
      multiply_few_rows(rows, few, columns, b.at, b.row, product->inner);
    } else {
      multiply_blocks(product, c, a, b, bias, rows, columns, base + scratch);
    }
  }
}
