/**
 * Matrix products C = A·B, C = A·B + bias and C += A·B, over a batch of strided matrices.
 *
 * Input: a `Product` written by the host, and a range of parts. Output: those parts of C. A part is a block of rows ×
 * columns of one matrix. Parts do not overlap, so threads can divide them.
 *
 * Each element is ((start + a₀b₀) + a₁b₁) + … in 32-bit floats, whichever path computes it: lanes are never summed
 * with each other, edges go through the same tile, and a block of k continues from the sum that the previous block
 * left in C.
 *
 * Blocks nest as in Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication": a panel of B stays
 * in the L1 cache, a block of A in L2, and a block of B in L3.
 */
import { packColumns, packRows } from "./gemm-pack";
import { BatchAxis, Product } from "./gemm-product";
import { multiplyRows } from "./gemm-rows";
import { edgeTile, tileColumns, tileRows, tiles } from "./gemm-tile";

/** Byte offsets in scratch: zeros as initial sums, a tile for edges, then the packed blocks of A and B. */
const edgeAt: usize = 4 * tileColumns;
const blocksAt: usize = edgeAt + 4 * tileRows * tileColumns;

/** With fewer rows than this, packing B costs more than it saves. */
const fewRows: usize = 4;
/** The same if the columns of B are contiguous: two rows share one pass over B. */
const fewRowsContiguousB: usize = 8;

/** Parts are numbered along the columns first, then down the rows, then by matrix. */
export function gemm(product: Product, begin: usize, end: usize, scratch: usize): void {
  memory.fill(scratch, 0, edgeAt);
  const across = divideUp(product.columns, product.partColumns);
  const down = divideUp(product.rows, product.partRows);
  for (let part = begin; part < end; part++) {
    const column = (part % across) * product.partColumns;
    const row = ((part / across) % down) * product.partRows;
    let c = product.c + row * product.cRow + column * product.cColumn;
    let a = product.a + row * product.aRow;
    let b = product.b + column * product.bColumn;
    let matrix = part / across / down;
    for (let left = product.axes; left > 0; left--) {
      const axis = batchAxis(product, left - 1);
      const at = matrix % axis.size;
      matrix /= axis.size;
      c += at * axis.c;
      a += at * axis.a;
      b += at * axis.b;
    }
    const rows = min(product.partRows, product.rows - row);
    const columns = min(product.partColumns, product.columns - column);
    const bias: usize = product.bias == 0 ? 0 : product.bias + 4 * column;
    const few = product.bColumn == 4 ? fewRowsContiguousB : fewRows;
    if (rows < few || product.inner == 0) {
      multiplyRows(product, c, a, b, bias, rows, columns, scratch + blocksAt);
    } else {
      multiplyBlocks(product, c, a, b, bias, rows, columns, scratch);
    }
  }
}

function multiplyBlocks(
  product: Product,
  c: usize,
  a: usize,
  b: usize,
  bias: usize,
  rows: usize,
  columns: usize,
  scratch: usize,
): void {
  const inner = product.inner;
  const aRow = product.aRow;
  const bColumn = product.bColumn;
  const blockRows = product.blockRows;
  const blockInner = product.blockInner;
  const blockColumns = product.blockColumns;
  const packedA = scratch + blocksAt;
  const packedB = packedA + 4 * blockRows * blockInner;
  for (let column: usize = 0; column < columns; column += blockColumns) {
    const width = min(blockColumns, columns - column);
    const cBlock = c + column * product.cColumn;
    const biasBlock: usize = bias == 0 ? 0 : bias + 4 * column;
    for (let k: usize = 0; k < inner; k += blockInner) {
      const depth = min(blockInner, inner - k);
      const aBlock = a + k * product.aColumn;
      const fromC = product.accumulate != 0 || k > 0;
      packColumns(packedB, b + k * product.bRow + column * bColumn, bColumn, product.bRow, width, depth);
      for (let row: usize = 0; row < rows; row += blockRows) {
        const height = min(blockRows, rows - row);
        let fromA = aBlock + row * aRow;
        let fromARow = aRow;
        // Rows of contiguous numbers are read in place.
        if (product.aColumn != 4) {
          packRows(packedA, fromA, aRow, product.aColumn, height, depth);
          fromA = packedA;
          fromARow = 4 * depth;
        }
        multiplyPanels(product, cBlock + row * product.cRow, biasBlock, fromC, height, width, depth, fromA, fromARow, packedB, scratch);
      }
    }
  }
}

/** Multiplies a block of A by the packed block of B, tile by tile. */
function multiplyPanels(
  product: Product,
  c: usize,
  bias: usize,
  fromC: bool,
  rows: usize,
  columns: usize,
  inner: usize,
  a: usize,
  aRow: usize,
  packedB: usize,
  scratch: usize,
): void {
  const cRow = product.cRow;
  const cColumn = product.cColumn;
  // Sums start from C itself, from the bias (the same for every row) or from zeros (the same everywhere).
  const startRow: usize = fromC ? cRow : 0;
  const startColumn: usize = fromC ? cColumn : 4;
  const startStep: usize = fromC ? tileColumns * cColumn : bias != 0 ? 4 * tileColumns : 0;
  let columnStart = fromC ? c : bias != 0 ? bias : scratch;
  let b = packedB;
  for (let column: usize = 0; column < columns; column += tileColumns) {
    const width = min(columns - column, tileColumns);
    let row: usize = 0;
    if (width == tileColumns && cColumn == 4) {
      const whole = rows / tileRows;
      if (whole > 0) tiles(c, cRow, columnStart, startRow, a, aRow, b, inner, whole);
      row = whole * tileRows;
    }
    for (; row < rows; row += tileRows) {
      const height = min(rows - row, tileRows);
      const to = c + row * cRow;
      const start = columnStart + row * startRow;
      edgeTile(to, cRow, cColumn, start, startRow, startColumn, height, width, a + row * aRow, aRow, b, inner, scratch + edgeAt);
    }
    b += 4 * tileColumns * inner;
    c += tileColumns * cColumn;
    columnStart += startStep;
  }
}

function batchAxis(product: Product, index: usize): BatchAxis {
  return changetype<BatchAxis>(changetype<usize>(product) + offsetof<Product>() + index * offsetof<BatchAxis>());
}

function divideUp(a: usize, b: usize): usize {
  return (a + b - 1) / b;
}
