/**
 * The contract between the model and the hardware: memory and kernels. Types only.
 *
 * A kernel writes to the outputs it is given and returns nothing. Calls take effect in order, and the caller owns every
 * buffer. Plain loops, WebAssembly memory and a queued GPU all fit this interface; only `await read` waits for a queue.
 *
 * Unless a kernel says otherwise:
 * - Rows are stored one after another without gaps. Strides and offsets count numbers, not bytes.
 * - Outputs do not overlap inputs.
 * - A size of zero is valid, and there is nothing to compute.
 *
 * To write a backend, implement `Backend` with `reference/` beside you: it is the specification, and each kernel there
 * shows its formula. Then run the suite in test/backend/conformance.ts, which compares the two.
 */
import type { RandomState } from "../random.ts";
import type { Allocator, Buffer, HostIntegers, Matrices, Strided, WriteTarget } from "./memory.ts";

export type { Allocator, Buffer, HostIntegers, Matrices, Strided, WriteTarget } from "./memory.ts";

/**
 * The sizes of C = A·B for a batch of matrices. Each sum starts from 0, from a bias, or from the old C.
 *
 * The order of summation is part of the contract: C[i, j] = ((start + a₀b₀) + a₁b₁) + …, with each product rounded
 * before it is added. The bits of an element then depend only on its row of A and column of B, not on the number of
 * rows, matrices or threads. That is why decoding one token with a cache has the same bits as a pass over the whole
 * sequence. A backend that is not `exact` may sum in another order.
 */
export interface ProductSize {
  /** Sizes of the batch axes, outermost first; `[]` is a single product. */
  readonly batch: readonly number[];
  /** Rows of A and C. */
  readonly rows: number;
  /** Columns of B and C. */
  readonly columns: number;
  /** Columns of A and rows of B: the number of terms in each sum. */
  readonly inner: number;
  /** Whether to add to C instead of replacing it. */
  readonly accumulate: boolean;
  /** A row vector added to every row; must be null with `accumulate`. */
  readonly bias: Buffer | null;
}

/**
 * Which columns (keys) each row (query) of an (R, S) matrix sees. "full": all. "causal": row i sees columns 0 … S−R+i.
 * The last row sees every column, and each row above it sees one fewer; requires R ≤ S.
 */
export type Mask = "causal" | "full";

/** The keys that one sequence's queries see: row i sees columns start … min(end, diagonal + i + 1) − 1, possibly none. */
export interface KeyRange {
  /** In 0 … S. */
  readonly start: number;
  /** In 0 … S. */
  readonly end: number;
  /** The last column that row 0 sees, in −2²⁴ … 2²⁴. Each later row sees one more. */
  readonly diagonal: number;
}

/** One mask for all matrices, or one key range per index of the first batch axis. */
export type AttentionMask = Mask | readonly KeyRange[];

/** A batch of `count` contiguous (rows, columns) matrices. */
export interface MatrixSize {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}

/** Elementwise functions of one operand. "relu2" is ReLU². */
export type UnaryName = "exp" | "log" | "sqrt" | "tanh" | "relu" | "relu2" | "silu" | "gelu" | "gelu-tanh";

/** Functions whose derivative costs almost nothing once the value is computed. */
export type GeluName = Extract<UnaryName, "gelu" | "gelu-tanh">;

/** Elementwise functions of two operands. */
export type BinaryName = "add" | "subtract" | "multiply" | "divide";

/** A contiguous (outer, axis, inner) block whose middle axis is reduced. */
export interface ReductionSize {
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
}

/**
 * Dropout by a stateless hash: element i is dropped if hash(i, key) < probability · 2³², and divided by 1 − probability
 * otherwise. Forward and backward, fused and plain, on any number of threads, all drop the same elements. The hash is
 * in reference/dropout.ts.
 */
export interface Dropping {
  /** In [0, 1). */
  readonly probability: number;
  /** Two unsigned 32-bit integers. */
  readonly key: readonly [number, number];
}

/**
 * What a softmax keeps of each row for backward: two numbers. Their combination, log Σ exp x = max + log sum, would
 * lose the digits that max takes: at scores of 10⁶, single precision rounds it to sixteenths.
 */
export interface SoftmaxStatistics {
  /** The largest number of the row; −∞ if there is none. */
  readonly max: Buffer;
  /** Σ exp(x − max): 0 if the row has nothing but −∞, NaN if it has a NaN or +∞. */
  readonly sum: Buffer;
}

/** The sizes and options of fused attention. */
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
  /** Drops softmax weights; (matrix, row, column) has element index (matrix·rows + row)·columns + column. */
  readonly dropping: Dropping | null;
}

/** Rows of `groups` groups of 2·half columns. Columns j and half + j of a group are the coordinates of a 2D point. */
export interface RotationSize {
  readonly rows: number;
  readonly groups: number;
  readonly half: number;
  /** Whether to rotate by the negative angles. */
  readonly backwards: boolean;
}

/** A parameter with its gradient and moments, all of the same length. */
export interface AdamWTarget {
  readonly parameter: Buffer;
  readonly gradient: Buffer;
  readonly moment1: Buffer;
  readonly moment2: Buffer;
  readonly weightDecay: number;
}

/** The hyperparameters of one AdamW step. Source: Loshchilov & Hutter 2019. */
export interface AdamWStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1 − beta1^step and 1 − beta2^step. */
  readonly correction1: number;
  readonly correction2: number;
  /** Multiplies the gradient first, for clipping and averaging. */
  readonly gradientScale: number;
}

export interface Kernels {
  /** C = A·B, C = A·B + bias, or C += A·B. */
  gemm(c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void;

  /** y = f(x). `y` may be `x` itself. */
  unary(name: UnaryName, y: Buffer, x: Buffer): void;
  /** dx = dy · f′(x), where y = f(x). */
  unaryBackward(name: UnaryName, dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer): void;
  /** y = f(x) and derivative = f′(x), so that backward is just dy ⊙ derivative. `derivative` may be `x` itself. */
  geluWithDerivative(name: GeluName, y: Buffer, derivative: Buffer, x: Buffer): void;
  /** y = f(a, b). `y` may be `a` or `b` itself. If the length of `b` divides that of `a`, `b` is repeated. */
  binary(name: BinaryName, y: WriteTarget, a: Buffer, b: Buffer): void;
  /** y = factor · x. */
  scale(y: WriteTarget, x: Buffer, factor: number): void;

  /** dst[i, j, …] = src[i, j, …] over `shape`, or += with `accumulate`, where dst elements must be distinct. */
  copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void;

  /** y[o, i] = factor · Σ_a x[o, a, i]. */
  sumAxis(y: WriteTarget, x: Buffer, size: ReductionSize, factor: number): void;
  /** y[o, i] = max_a x[o, a, i]; NaN if any is NaN. */
  maxAxis(y: Buffer, x: Buffer, size: ReductionSize): void;
  /** dx[o, a, i] = dy[o, i] for the first a with x[o, a, i] = y[o, i], else 0. */
  maxAxisBackward(dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer, size: ReductionSize): void;

  /**
   * y = softmax of each row over the columns it sees; hidden entries are exactly 0. Here and in backward, sums run in
   * ascending order, so a column of −∞ anywhere does not change the bits of the others.
   */
  softmaxRows(y: Buffer, x: Buffer, size: MatrixSize, mask: Mask): void;
  /** dx = y ⊙ (dy − ⟨dy, y⟩) for each row. Hidden entries have y = 0 and therefore dx = 0. */
  softmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, size: MatrixSize): void;
  /** y = x − log Σ exp x for each row. */
  logSoftmaxRows(y: Buffer, x: Buffer, rows: number, columns: number): void;
  /** dx = dy − exp(y) · Σ dy for each row. */
  logSoftmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, rows: number, columns: number): void;

  /**
   * y = (x − mean) · rstd ⊙ weight + bias for each row, with rstd = 1/√(variance + epsilon). `mean` and `rstd` are
   * outputs, one number per row, saved for backward. Without `mean`, y = x · rstd ⊙ weight + bias, where rstd uses the
   * mean of x² instead of the variance.
   */
  // biome-ignore format: a line of outputs, then a line of inputs.
  normalizeRows(
    y: Buffer, mean: Buffer | null, rstd: Buffer,
    x: Buffer, weight: Buffer | null, bias: Buffer | null, rows: number, columns: number, epsilon: number,
  ): void;
  /** Gradients of `normalizeRows`. A target is null if its gradient is not needed. */
  // biome-ignore format: a line of outputs, then a line of inputs.
  normalizeRowsBackward(
    dx: WriteTarget | null, dWeight: WriteTarget | null, dBias: WriteTarget | null,
    dy: Buffer, x: Buffer, weight: Buffer | null, mean: Buffer | null, rstd: Buffer, rows: number, columns: number,
  ): void;

  /**
   * Rotates the 2D points of row i by the angles in row positions[i] of the table, which holds `half` cosines and then
   * `half` sines. Point j, (a, b), becomes (a·cos − b·sin, a·sin + b·cos). Backward is the same kernel applied to the
   * gradient with `backwards`.
   */
  rotateRows(y: WriteTarget, x: Buffer, table: Buffer, positions: HostIntegers, size: RotationSize): void;

  /** y[i] = table[indices[i]] for each row i. */
  gatherRows(y: Buffer, table: Buffer, indices: HostIntegers, rows: number, columns: number): void;
  /** table[indices[i]] = x[i] for each row i. A negative index skips the row; the others must be distinct. */
  scatterRows(table: Buffer, x: Buffer, indices: HostIntegers, rows: number, columns: number): void;
  /** dTable[indices[i]] += dy[i] for each row i, in ascending order of i. */
  scatterAddRows(dTable: Buffer, dy: Buffer, indices: HostIntegers, rows: number, columns: number): void;

  /** y = dropout of x. Backward is the same kernel applied to the gradient. */
  dropout(y: WriteTarget, x: Buffer, dropping: Dropping): void;
  /**
   * y = deviation · z + 0, with independent standard normal numbers z: those of `Random.normal` from a generator in
   * this state. The only kernel that returns something: the generator's state after them.
   */
  fillNormal(y: Buffer, deviation: number, state: RandomState): RandomState;

  /**
   * loss[i] = log sum[i] − (x[i, targets[i]] − max[i]), or 0 if targets[i] < 0. `statistics` are outputs, saved for
   * backward.
   */
  // biome-ignore format: a line of outputs, then a line of inputs.
  crossEntropyRows(
    loss: Buffer, statistics: SoftmaxStatistics,
    x: Buffer, targets: HostIntegers, rows: number, columns: number,
  ): void;
  /**
   * dx[i, j] = dLoss[i] · (exp(x[i, j] − max[i]) / sum[i] − [j = targets[i]]), or 0 if targets[i] < 0. Without
   * `accumulate`, `dx` may be `x` itself.
   */
  // biome-ignore format: a line of outputs, then a line of inputs.
  crossEntropyRowsBackward(
    dx: WriteTarget,
    dLoss: Buffer, x: Buffer, statistics: SoftmaxStatistics, targets: HostIntegers, rows: number, columns: number,
  ): void;

  /**
   * y = dropout(softmax(scale · q·kᵀ))·v for each matrix of the batch. Hidden entries are never computed. `statistics`
   * are outputs, one number of each per row of each matrix, saved for backward. The bits of a row of y depend only on
   * its row of q and on the keys and values it sees, not on their column numbers. A row that sees nothing yields zeros.
   */
  // biome-ignore format: a line of outputs, then a line of inputs.
  attention(
    y: Matrices, statistics: SoftmaxStatistics,
    q: Matrices, k: Matrices, v: Matrices, size: AttentionSize,
  ): void;
  /**
   * Gradients of `attention`, recomputing the softmax weights from q, k and `statistics`. Rows that see nothing, and
   * columns that no row sees, have gradient 0.
   */
  // biome-ignore format: a line of outputs, then a line of inputs.
  attentionBackward(
    dq: Matrices, dk: Matrices, dv: Matrices,
    dy: Matrices, y: Matrices, statistics: SoftmaxStatistics, q: Matrices, k: Matrices, v: Matrices,
    size: AttentionSize,
    accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
  ): void;

  /** y[i] = Σ xs[i]². */
  sumsOfSquares(y: Buffer, xs: readonly Buffer[]): void;
  /** One AdamW step on every parameter and its moments, in place. */
  adamw(targets: readonly AdamWTarget[], step: AdamWStep): void;
}

/**
 * Captured kernel calls. Replaying them has the effect of running the same code, minus the host's work around each call.
 *
 * A replay uses the current contents of the buffers, key ranges and host integers, which the caller may change in place
 * between replays. They are validated at capture only, and the captured code must not change them. The buffers must
 * outlive the captured calls.
 */
export interface CapturedCalls {
  replay(): void;
  /** Frees the memory of the calls, including their temporary buffers. */
  free(): void;
}

export interface Backend extends Allocator, Kernels {
  readonly name: string;
  /**
   * Whether the bits of a result depend only on its operands, not on the machine, the number of threads, or the rest of
   * the batch. If false, results are as accurate, but the order of summation or the rounding may differ.
   */
  readonly exact: boolean;
  /** The name and version of the library that computes matrix products, or null if there is none. */
  readonly library: string | null;
  /** The number of computing threads, including the calling one. */
  readonly threads: number;
  /**
   * Runs `body` once, in any case, and captures its kernel calls if possible.
   *
   * @returns null if a replay could not repeat them: the backend does not support capture, `body` called a kernel that
   *          cannot be captured, or it read or wrote a buffer from the host
   */
  capture(body: () => void): CapturedCalls | null;
  close(): Promise<void>;
}
