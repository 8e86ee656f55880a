/** What the host says about a matrix product: 32-bit integers in this order. Pointers and strides count bytes. */
@unmanaged
export class Product {
  c: usize;
  a: usize;
  b: usize;
  /** One number for each column; 0 for none. */
  bias: usize;
  accumulate: usize;
  rows: usize;
  columns: usize;
  inner: usize;
  cRow: usize;
  cColumn: usize;
  aRow: usize;
  aColumn: usize;
  bRow: usize;
  bColumn: usize;
  /** The most rows and columns of a part. */
  partRows: usize;
  partColumns: usize;
  /** A block of A is (blockRows, blockInner), a block of B is (blockInner, blockColumns). */
  blockRows: usize;
  blockInner: usize;
  blockColumns: usize;
  /** How many batch axes there are. A `BatchAxis` for each follows, outermost first. */
  axes: usize;
}

/** The size of a batch axis, and its stride in each of the three. */
@unmanaged
export class BatchAxis {
  size: usize;
  c: usize;
  a: usize;
  b: usize;
}
