/**
 * The contract between the model and the machine: memory and kernels. Types only, no code.
 *
 * A kernel returns nothing and writes where it is told; effects happen in call order; the caller owns every
 * output. So synchronous loops, WebAssembly memory and a queued GPU share this one interface, and a queue
 * shows itself only in `await read`.
 *
 * Words of this room: buffer, row, column, stride, batch of matrices. Strides and offsets count numbers, not
 * bytes. Unless a kernel says otherwise, rows are stored one after the other without gaps, outputs do not
 * overlap inputs, and whatever a size of zero asks for is done by doing nothing.
 *
 * `reference/` is the specification: each kernel there shows its formula.
 */

/** A run of numbers in one backend's memory. Opaque outside backend/. */
export interface Buffer {
  readonly length: number;
}

/** Where a backward kernel writes a gradient: `accumulate` adds to what is there, otherwise it is replaced. */
export interface WriteTarget {
  readonly buffer: Buffer;
  readonly accumulate: boolean;
}

/** A batch of matrices laid over a buffer. A stride of 0 repeats the same numbers (broadcasts). */
export interface Matrices {
  readonly buffer: Buffer;
  /** Where element (0, 0) of the first matrix stands. */
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** One stride for each batch axis. */
  readonly batchStrides: readonly number[];
}

/** A block of any number of axes laid over a buffer: a slice, a transpose, a broadcast. */
export interface Strided {
  readonly buffer: Buffer;
  readonly offset: number;
  /** One stride for each axis. */
  readonly strides: readonly number[];
}

/**
 * The sizes of C = A·B for a batch of matrices, and what each sum starts from: 0, a bias, or what C held.
 *
 * The order of every sum is part of the contract: C[i, j] = ((start + a₀b₀) + a₁b₁) + …, each product rounded
 * before it is added. So the bits of one element do not depend on how many rows, columns, matrices or threads
 * are computed beside it: one token through a cache gives the bits of the whole pass. A backend that is not `exact`
 * keeps everything but the order.
 */
export interface ProductSize {
  /** Sizes of the batch axes, outermost first; `[]` is a single product. */
  readonly batch: readonly number[];
  /** Rows of A and C. */
  readonly rows: number;
  /** Columns of B and C. */
  readonly columns: number;
  /** Columns of A, rows of B: the length of each sum. */
  readonly inner: number;
  /** Add to C instead of replacing it. */
  readonly accumulate: boolean;
  /** One number for each column, added to every row; null with `accumulate`. */
  readonly bias: Buffer | null;
}

/**
 * Which columns (keys) the rows (queries) of an (R, S) matrix see. "full": all of them. "causal": row i sees columns
 * 0 … S−R+i, so the last row sees every column and each row above it one fewer (R ≤ S).
 */
export type Mask = "causal" | "full";

/** The columns that the rows of one sequence see: row i sees start … min(end, diagonal + i + 1) − 1, or none. */
export interface KeyRange {
  /** In 0 … S. */
  readonly start: number;
  /** In 0 … S. */
  readonly end: number;
  /** The last column that row 0 sees. May be negative; at most 2²⁴ in size. */
  readonly diagonal: number;
}

/** One mask for every matrix, or a key range for each index of the first batch axis. */
export type AttentionMask = Mask | readonly KeyRange[];

/**
 * Whole numbers that a kernel reads from the host: token ids, positions, rows of a table. Exact up to 2²⁴, and at
 * least as many as the kernel has rows. A captured call reads them again at each replay.
 */
export type HostIntegers = ArrayLike<number>;

/** A batch of (rows, columns) matrices stored one after the other. */
export interface MatrixSize {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}

/** Functions of one number, applied to each element. */
export type UnaryName = "exp" | "log" | "sqrt" | "tanh" | "relu" | "relu2" | "silu" | "gelu" | "gelu-tanh";

/** Those whose derivative is nearly for free where the value is computed. */
export type GeluName = Extract<UnaryName, "gelu" | "gelu-tanh">;

/** Functions of two numbers, applied to elements at the same place. */
export type BinaryName = "add" | "subtract" | "multiply" | "divide";

/** Axes of a block seen as (outer, axis, inner), where the middle one is to be reduced. */
export interface ReductionSize {
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
}

/**
 * Seeded zeroing of elements. Element i is dropped when hash(i, key) < probability · 2³²; the rest are divided
 * by 1 − probability. The hash has no state, so that forward and backward, fused and plain, in any order and on
 * any number of threads, drop the same elements. (See reference/dropout.ts for the hash.)
 */
export interface Dropping {
  /** In [0, 1). */
  readonly probability: number;
  /** Two unsigned 32-bit integers. */
  readonly key: readonly [number, number];
}

/** The sizes of fused attention, and its options. */
export interface AttentionSize {
  /** Sizes of the batch axes, outermost first, as in `Matrices.batchStrides`. */
  readonly batch: readonly number[];
  /** Rows of q and y. */
  readonly rows: number;
  /** Rows of k and v. */
  readonly columns: number;
  /** Columns of q, k, v and y. */
  readonly width: number;
  /** Multiplies q·kᵀ before the softmax. */
  readonly scale: number;
  readonly mask: AttentionMask;
  /** Applied to the softmax weights; element (matrix, row, column) has index (matrix·rows + row)·columns + column. */
  readonly dropping: Dropping | null;
}

/** Rows of `groups` runs, each of 2·half columns: columns j and half + j of a run are a point of the plane. */
export interface RotationSize {
  readonly rows: number;
  readonly groups: number;
  readonly half: number;
  /** Turn by the opposite angles. */
  readonly backwards: boolean;
}

/** A parameter, its gradient and its moments, all of one length. */
export interface AdamWTarget {
  readonly parameter: Buffer;
  readonly gradient: Buffer;
  readonly moment1: Buffer;
  readonly moment2: Buffer;
  readonly weightDecay: number;
}

/** What one step of AdamW needs to know. The names are those of Loshchilov & Hutter 2019. */
export interface AdamWStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1 − beta1^step and 1 − beta2^step. */
  readonly correction1: number;
  readonly correction2: number;
  /** Multiplies the gradient first: clipping and averaging in the same pass. */
  readonly gradientScale: number;
}

export interface Allocator {
  /** Numbers with unspecified contents. */
  alloc(length: number): Buffer;
  free(buffer: Buffer): void;
  fill(dst: Buffer, value: number): void;
  /** Copies host numbers to dst[at …]. */
  write(dst: Buffer, src: ArrayLike<number>, at?: number): void;
  /** A copy of the numbers. The only suspension point: a queue is drained here. */
  read(src: Buffer): Promise<Float32Array | Float64Array>;
}

export interface Kernels {
  /** C = A·B, C = A·B + bias, or C += A·B. */
  gemm(c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void;

  /** y = f(x). `y` may be `x` itself. */
  unary(name: UnaryName, y: Buffer, x: Buffer): void;
  /** dx = dy · f′(x), where y = f(x). */
  unaryBackward(name: UnaryName, dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer): void;
  /** y = f(x) and derivative = f′(x): backward is dy ⊙ derivative then, and x not needed. `derivative` may be `x` itself. */
  geluWithDerivative(name: GeluName, y: Buffer, derivative: Buffer, x: Buffer): void;
  /** y = f(a, b). `y` may be `a` or `b` itself. `b` may be a whole fraction of `a`: it is repeated then. */
  binary(name: BinaryName, y: WriteTarget, a: Buffer, b: Buffer): void;
  /** y = factor · x. */
  scale(y: WriteTarget, x: Buffer, factor: number): void;

  /** dst[i, j, …] = src[i, j, …] over `shape`. With accumulate, adds; then no two dst elements coincide. */
  copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void;

  /** y[o, i] = factor · Σ_a x[o, a, i]. */
  sumAxis(y: WriteTarget, x: Buffer, size: ReductionSize, factor: number): void;
  /** y[o, i] = max_a x[o, a, i]; NaN where any is NaN. */
  maxAxis(y: Buffer, x: Buffer, size: ReductionSize): void;
  /** dx[o, a, i] = dy[o, i] for the first a with x[o, a, i] = y[o, i], else 0. */
  maxAxisBackward(dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer, size: ReductionSize): void;

  /**
   * y = softmax of each row over the columns it sees; hidden entries are exactly 0. Sums run in ascending order, here
   * and in backward: a column of −∞, wherever it stands, changes no bit of the others.
   */
  softmaxRows(y: Buffer, x: Buffer, size: MatrixSize, mask: Mask): void;
  /** dx = y ⊙ (dy − ⟨dy, y⟩) for each row. Hidden entries have y = 0, so dx = 0 there. */
  softmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, size: MatrixSize): void;
  /** y = x − log Σ exp x for each row. */
  logSoftmaxRows(y: Buffer, x: Buffer, rows: number, columns: number): void;
  /** dx = dy − exp(y) · Σ dy for each row. */
  logSoftmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, rows: number, columns: number): void;

  /**
   * y = (x − mean) · rstd ⊙ weight + bias for each row. `mean` and `rstd` (one number
   * a row) are outputs, kept for backward. Without `mean`, rows are not centered: x · rstd, where the
   * deviation is from 0.
   */
  normalizeRows(
    y: Buffer,
    mean: Buffer | null,
    rstd: Buffer,
    x: Buffer,
    weight: Buffer | null,
    bias: Buffer | null,
    rows: number,
    columns: number,
    epsilon: number,
  ): void;
  /** Gradients of `normalizeRows`; each target may be null where no gradient is wanted. */
  normalizeRowsBackward(
    dx: WriteTarget | null,
    dWeight: WriteTarget | null,
    dBias: WriteTarget | null,
    dy: Buffer,
    x: Buffer,
    weight: Buffer | null,
    mean: Buffer | null,
    rstd: Buffer,
    rows: number,
    columns: number,
  ): void;

  /**
   * Turns the points of each row in the plane, by the angles of one row of a table: table[positions[i]] holds the
   * cosines of the `half` angles, then their sines, and point (a, b) number j becomes (a·cos − b·sin, a·sin + b·cos)
   * by angle j. Backward is the same kernel on the gradient, backwards.
   */
  rotateRows(y: WriteTarget, x: Buffer, table: Buffer, positions: HostIntegers, size: RotationSize): void;

  /** y[i] = table[indices[i]], row by row. */
  gatherRows(y: Buffer, table: Buffer, indices: HostIntegers, rows: number, columns: number): void;
  /** table[indices[i]] = x[i], row by row; a negative index skips its row. No index occurs twice. */
  scatterRows(table: Buffer, x: Buffer, indices: HostIntegers, rows: number, columns: number): void;
  /** dTable[indices[i]] += dy[i], row by row, in the order of i. */
  scatterAddRows(dTable: Buffer, dy: Buffer, indices: HostIntegers, rows: number, columns: number): void;

  /** y = x with elements dropped. Backward is the same kernel on the gradient. */
  dropout(y: WriteTarget, x: Buffer, dropping: Dropping): void;

  /**
   * loss[i] = logSumExp[i] − x[i, targets[i]], where logSumExp[i] = log Σ exp x[i, ·]; 0 where targets[i] < 0.
   * `logSumExp` is an output, kept for backward.
   */
  crossEntropyRows(
    loss: Buffer,
    logSumExp: Buffer,
    x: Buffer,
    targets: HostIntegers,
    rows: number,
    columns: number,
  ): void;
  /** dx[i, j] = dLoss[i] · (exp(x[i, j] − logSumExp[i]) − [j = targets[i]]); 0 where targets[i] < 0. */
  crossEntropyRowsBackward(
    dx: WriteTarget,
    dLoss: Buffer,
    x: Buffer,
    logSumExp: Buffer,
    targets: HostIntegers,
    rows: number,
    columns: number,
  ): void;

  /**
   * y = drop(softmax(scale · q·kᵀ))·v for each matrix of the batch, over visible columns only; hidden ones are
   * never computed. `logSumExp` (one number for each row of each matrix) is an output, kept for backward. The
   * bits of a row of y depend on that row of q and on the columns it sees alone, and not on where these stand. A
   * row that sees nothing gives zeros, and −∞ in `logSumExp`.
   */
  attention(y: Matrices, logSumExp: Buffer, q: Matrices, k: Matrices, v: Matrices, size: AttentionSize): void;
  /**
   * Gradients of `attention`. The softmax weights are computed again from q, k and logSumExp. Rows that see nothing
   * and columns that nobody sees receive 0, or what they accumulate to stays as it is.
   */
  attentionBackward(
    dq: Matrices,
    dk: Matrices,
    dv: Matrices,
    dy: Matrices,
    y: Matrices,
    logSumExp: Buffer,
    q: Matrices,
    k: Matrices,
    v: Matrices,
    size: AttentionSize,
    accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
  ): void;

  /** y[i] = Σ xs[i]². */
  sumsOfSquares(y: Buffer, xs: readonly Buffer[]): void;
  /** One step of AdamW on every parameter and its two moments, in place. */
  adamw(targets: readonly AdamWTarget[], step: AdamWStep): void;
}

/**
 * Kernel calls captured once, to be made again with the same arguments. A replay does what running the same code would
 * do, without the host's work around each kernel. It reads what the buffers hold by then, and the key ranges and host
 * integers that the calls were given, which the caller may change in place. Those are checked at capture only, and
 * the captured code itself must not change them. The buffers must live as long as the captured calls.
 */
export interface CapturedCalls {
  replay(): void;
  /** Frees the temporary buffers of the calls. */
  free(): void;
}

export interface Backend extends Allocator, Kernels {
  readonly name: string;
  /**
   * Whether the bits of a result depend on its operands alone: not on the machine, the number of threads, or what is
   * computed beside it. Where false, products come from a library that sums in an order of its own: as near to the
   * truth, and the same bits only from the same library on the same machine and as many threads. Or, without a
   * library, kernels round as the machine likes: other bits on another kind of it.
   */
  readonly exact: boolean;
  /** The library that computes products, as it names itself; null where there is none. */
  readonly library: string | null;
  /** How many threads compute. */
  readonly threads: number;
  /**
   * Runs `body` and captures the kernel calls that it makes.
   *
   * @returns null if they cannot be replayed: the backend captures nothing, or `body` wrote or read a buffer itself
   */
  capture(body: () => void): CapturedCalls | null;
  close(): Promise<void>;
}
