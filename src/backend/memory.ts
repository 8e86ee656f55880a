/** The memory half of the contract in backend.ts: buffers, views of them, and what the host exchanges with them. Types only. */

/** A contiguous range of numbers in the memory of one backend. Opaque outside backend/. */
export interface Buffer {
  readonly length: number;
}

/** An output that is either replaced or, with `accumulate`, added to. Gradients use both. */
export interface WriteTarget {
  readonly buffer: Buffer;
  readonly accumulate: boolean;
}

/** A strided view of a buffer as a batch of matrices. A stride of 0 repeats the same numbers (broadcasts). */
export interface Matrices {
  readonly buffer: Buffer;
  /** The index of element (0, 0) of the first matrix. */
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** One stride for each batch axis. */
  readonly batchStrides: readonly number[];
}

/** A strided view of a buffer with any number of axes: a slice, a transpose, a broadcast. */
export interface Strided {
  readonly buffer: Buffer;
  readonly offset: number;
  /** One stride for each axis. */
  readonly strides: readonly number[];
}

/**
 * Integers that a kernel reads from the host: token ids, positions, row indices. Exact up to 2²⁴; at least one per row.
 * A captured call reads the array again at each replay.
 */
export type HostIntegers = ArrayLike<number>;

/** Memory for buffers, and its exchange with the host. */
export interface Allocator {
  /** A new buffer with unspecified contents. */
  alloc(length: number): Buffer;
  free(buffer: Buffer): void;
  fill(dst: Buffer, value: number): void;
  /** Copies numbers from the host to dst[at …]. */
  write(dst: Buffer, src: ArrayLike<number>, at?: number): void;
  /** A copy of the contents. The only point where a caller waits: a queued backend drains its queue here. */
  read(src: Buffer): Promise<Float32Array | Float64Array>;
  /**
   * The numbers of a buffer where they are, for messages between processes. Earlier kernels have written them; the view is
   * valid until the buffer is freed.
   */
  view(buffer: Buffer): Float32Array | Float64Array;
}
