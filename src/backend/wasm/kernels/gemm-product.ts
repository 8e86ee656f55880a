/**
 * Describes a matrix product. The host writes it as 32-bit integers in this order. Pointers and strides count bytes.
 */
@unmanaged
export class Product {
  c: usize;
  a: usize;
  b: usize;
  /** Address of one number per column, or 0 for none. */
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
  /** The maximum rows and columns of a part. */
  partRows: usize;
  partColumns: usize;
  /** A block of A is (blockRows, blockInner), a block of B is (blockInner, blockColumns). */
  blockRows: usize;
  blockInner: usize;
  blockColumns: usize;
  /** The number of batch axes. A `BatchAxis` for each one follows, outermost first. */
  axes: usize;
}

/** The size of a batch axis, and its stride in C, A and B. */
@unmanaged
export class BatchAxis {
  size: usize;
  c: usize;
  a: usize;
  b: usize;
}
