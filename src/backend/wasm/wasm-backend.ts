/**
 * The WebAssembly backend: SIMD kernels over one shared memory, the same bits on any machine.
 *
 * A method turns spans into addresses and calls the kernel: kernels/… for how it works, ../reference/… for what.
 */
import { BackendError } from "../../errors.ts";
import { sizeOf } from "../../shape.ts";
import type {
  AdamWStep,
  AttentionSize,
  Backend,
  Dropping,
  GeluName,
  MapName,
  Matrices,
  MatrixSize,
  ProductSize,
  ReductionSize,
  RotationSize,
  Sink,
  Span,
  Strided,
  Visibility,
  ZipName,
} from "../backend.ts";
import { attention, attentionBackward } from "./attention.ts";
import { blocksOf, isShortRun } from "./copy.ts";
import { gemm } from "./gemm.ts";
import { Heap } from "./heap.ts";
import { instantiate } from "./instance.ts";
import type { KernelExports } from "./signatures.ts";
import { ThreadPool, type ThreadStart, type Threads } from "./thread-pool.ts";
import { bytesPerNumber, WasmMemory } from "./wasm-memory.ts";

/** The kernels of each function. */
const maps = {
  exp: { value: "mapExp", slope: "mapExpBackward" },
  log: { value: "mapLog", slope: "mapLogBackward" },
  sqrt: { value: "mapSqrt", slope: "mapSqrtBackward" },
  tanh: { value: "mapTanh", slope: "mapTanhBackward" },
  relu: { value: "mapRelu", slope: "mapReluBackward" },
  relu2: { value: "mapRelu2", slope: "mapRelu2Backward" },
  silu: { value: "mapSilu", slope: "mapSiluBackward" },
  gelu: { value: "mapGelu", slope: "mapGeluBackward" },
  "gelu-tanh": { value: "mapGeluTanh", slope: "mapGeluTanhBackward" },
} as const satisfies Record<MapName, unknown>;
const zips = {
  add: "zipAdd",
  subtract: "zipSubtract",
  multiply: "zipMultiply",
  divide: "zipDivide",
} as const satisfies Record<ZipName, unknown>;

/** How many numbers kernels/reduce.ts squares and adds at a time. */
const chunkLength = 4096;

export class WasmBackend extends WasmMemory implements Backend {
  readonly name: string = "wasm";
  readonly exact: boolean;
  readonly library: string | null = null;
  readonly #kernels: KernelExports;
  readonly #pool: ThreadPool | null;

  /**
   * @param module the compiled kernels: `loadKernels` of ../open.ts
   * @param divide what stands between this backend and the kernels; it may run a range in parts, in any order
   * @param heap   the memory that they share
   * @param pool   stopped when the backend closes
   * @param exact  false for kernels whose bits depend on the machine, as those of `--fast`
   */
  constructor(
    module: WebAssembly.Module,
    divide = (kernels: KernelExports): KernelExports => kernels,
    heap = new Heap(),
    pool: ThreadPool | null = null,
    exact = true,
  ) {
    super(heap);
    this.exact = exact;
    this.#kernels = divide(instantiate(module, heap.memory));
    this.#pool = pool;
  }

  /**
   * A backend on several threads, which computes the same bits as one.
   *
   * @param spawn starts the threads on the host
   */
  static async onThreads(
    module: WebAssembly.Module,
    count: number,
    spawn: (start: ThreadStart) => Threads,
    exact = true,
  ): Promise<WasmBackend> {
    const heap = new Heap(undefined, count);
    const pool = await ThreadPool.start(count, module, heap, spawn);
    return new WasmBackend(module, (kernels) => pool.share(kernels), heap, pool, exact);
  }

  get threads(): number {
    return this.heap.threads;
  }

  /** Stops the threads. The memory goes when nothing refers to it any more. */
  async close(): Promise<void> {
    await this.#pool?.stop();
  }

  gemm(c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void {
    gemm(this.heap, this.#kernels, c, a, b, size);
  }

  map(name: MapName, y: Span, x: Span): void {
    const n = x.length;
    this.#kernels[maps[name].value](this.at(y, n), this.at(x, n), 0, n);
  }

  mapBackward(name: MapName, dx: Sink, dy: Span, x: Span, y: Span): void {
    const n = dy.length;
    const to = this.at(dx.span, n);
    this.#kernels[maps[name].slope](to, this.at(dy, n), this.at(x, n), this.at(y, n), adds(dx), 0, n);
  }

  mapWithSlope(name: GeluName, y: Span, slope: Span, x: Span): void {
    const n = x.length;
    const kernel = name === "gelu" ? "mapGeluWithSlope" : "mapGeluTanhWithSlope";
    this.#kernels[kernel](this.at(y, n), this.at(slope, n), this.at(x, n), 0, n);
  }

  zip(name: ZipName, y: Sink, a: Span, b: Span): void {
    const n = a.length;
    this.#kernels[zips[name]](this.at(y.span, n), this.at(a, n), this.at(b, n), adds(y), 0, n);
  }

  scale(y: Sink, x: Span, factor: number): void {
    const n = x.length;
    this.#kernels.scale(this.at(y.span, n), this.at(x, n), factor, adds(y), 0, n);
  }

  copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void {
    if (isShortRun(dst, src, shape)) {
      const n = sizeOf(shape);
      const to = this.at(dst.span, dst.offset + n) + bytesPerNumber * dst.offset;
      const from = this.at(src.span, src.offset + n) + bytesPerNumber * src.offset;
      this.#kernels.copyBlock(to, from, Number(accumulate), 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1);
      return;
    }
    const to = this.atBlock(dst, shape);
    const from = this.atBlock(src, shape);
    for (const block of blocksOf(dst, src, shape)) {
      const [a, b, c, d] = block.axes;
      // biome-ignore format: as the kernel has them.
      this.#kernels.copyBlock(
        to + bytesPerNumber * block.dst, from + bytesPerNumber * block.src, Number(accumulate),
        b.length, c.length, d.length, a.dst, b.dst, c.dst, d.dst, a.src, b.src, c.src, d.src, 0, a.length,
      );
    }
  }

  sumAxis(y: Sink, x: Span, { outer, axis, inner }: ReductionSize, factor: number): void {
    const lines = outer * inner;
    const to = this.at(y.span, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.#kernels.sumRows(to, from, axis, factor, adds(y), 0, lines);
    else this.#kernels.sumColumns(to, from, axis, inner, factor, adds(y), 0, lines);
  }

  maxAxis(y: Span, x: Span, { outer, axis, inner }: ReductionSize): void {
    const lines = outer * inner;
    const to = this.at(y, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.#kernels.maxRows(to, from, axis, 0, lines);
    else this.#kernels.maxColumns(to, from, axis, inner, 0, lines);
  }

  maxAxisBackward(dx: Sink, dy: Span, x: Span, y: Span, { outer, axis, inner }: ReductionSize): void {
    const lines = outer * inner;
    const to = this.at(dx.span, lines * axis);
    const from = this.at(x, lines * axis);
    const slope = this.at(dy, lines);
    this.#kernels.maxBackward(to, slope, from, this.at(y, lines), axis, inner, adds(dx), 0, lines);
  }

  softmaxRows(y: Span, x: Span, { count, rows, columns }: MatrixSize, visible: Visibility): void {
    const all = count * rows;
    const to = this.at(y, all * columns);
    const from = this.at(x, all * columns);
    this.#kernels.softmaxRows(to, from, rows, columns, Number(visible === "staircase"), 0, all);
  }

  softmaxRowsBackward(dx: Sink, dy: Span, y: Span, { count, rows, columns }: MatrixSize): void {
    const n = count * rows * columns;
    const to = this.at(dx.span, n);
    const from = this.at(y, n);
    this.#kernels.softmaxRowsBackward(to, this.at(dy, n), from, columns, adds(dx), 0, count * rows);
  }

  logSoftmaxRows(y: Span, x: Span, rows: number, columns: number): void {
    const n = rows * columns;
    this.#kernels.logSoftmaxRows(this.at(y, n), this.at(x, n), columns, 0, rows);
  }

  logSoftmaxRowsBackward(dx: Sink, dy: Span, y: Span, rows: number, columns: number): void {
    const n = rows * columns;
    const to = this.at(dx.span, n);
    this.#kernels.logSoftmaxRowsBackward(to, this.at(dy, n), this.at(y, n), columns, adds(dx), 0, rows);
  }

  normalizeRows(
    y: Span,
    mean: Span | null,
    inverseDeviation: Span,
    x: Span,
    weight: Span | null,
    bias: Span | null,
    rows: number,
    columns: number,
    epsilon: number,
  ): void {
    // biome-ignore format: as the kernel has them.
    this.#kernels.normalizeRows(
      this.at(y, rows * columns), this.at(mean, rows), this.at(inverseDeviation, rows),
      this.at(x, rows * columns), this.at(weight, columns), this.at(bias, columns), columns, epsilon, 0, rows,
    );
  }

  normalizeRowsBackward(
    dx: Sink | null,
    dWeight: Sink | null,
    dBias: Sink | null,
    dy: Span,
    x: Span,
    weight: Span | null,
    mean: Span | null,
    inverseDeviation: Span,
    rows: number,
    columns: number,
  ): void {
    const slopes = this.at(dy, rows * columns);
    const from = this.at(x, rows * columns);
    const weights = this.at(weight, columns);
    const means = this.at(mean, rows);
    const inverses = this.at(inverseDeviation, rows);
    if (dx !== null) {
      const to = this.at(dx.span, rows * columns);
      // biome-ignore format: as the kernel has them.
      this.#kernels.normalizeRowsBackward(
        to, slopes, from, weights, means, inverses, columns, adds(dx), 0, rows,
      );
    }
    if (dWeight !== null || dBias !== null) {
      const toWeight = this.at(dWeight?.span ?? null, columns);
      const toBias = this.at(dBias?.span ?? null, columns);
      // biome-ignore format: as the kernel has them.
      this.#kernels.normalizeRowsBackwardColumns(
        toWeight, toBias, slopes, from, means, inverses, rows, columns, adds(dWeight), adds(dBias), 0, columns,
      );
    }
  }

  rotateRows(y: Sink, x: Span, table: Span, places: Span, size: RotationSize): void {
    const { rows, groups, half, backwards } = size;
    this.#checkIndices("rotateRows", places, rows, table.length / (2 * half));
    const n = rows * groups * 2 * half;
    // biome-ignore format: as the kernel has them.
    this.#kernels.rotateRows(
      this.at(y.span, n), this.at(x, n), this.at(table, 0), this.at(places, rows), groups, half,
      Number(backwards), adds(y), 0, rows,
    );
  }

  gatherRows(y: Span, table: Span, indices: Span, rows: number, columns: number): void {
    this.#checkIndices("gatherRows", indices, rows, table.length / columns);
    const to = this.at(y, rows * columns);
    this.#kernels.gatherRows(to, this.at(table, 0), this.at(indices, rows), columns, 0, rows);
  }

  scatterAddRows(dTable: Span, dy: Span, indices: Span, rows: number, columns: number): void {
    this.#checkIndices("scatterAddRows", indices, rows, dTable.length / columns);
    const from = this.at(dy, rows * columns);
    this.#kernels.scatterAddRows(this.at(dTable, 0), from, this.at(indices, rows), rows, columns, 0, columns);
  }

  dropout(y: Sink, x: Span, { probability, key }: Dropping): void {
    const n = x.length;
    const threshold = Math.floor(probability * 2 ** 32);
    const factor = 1 / (1 - probability);
    const to = this.at(y.span, n);
    this.#kernels.dropout(to, this.at(x, n), key[0], key[1], threshold, factor, adds(y), 0, n);
  }

  crossEntropyRows(loss: Span, logSumExp: Span, x: Span, targets: Span, rows: number, columns: number): void {
    this.#checkTargets(targets, rows, columns);
    // biome-ignore format: as the kernel has them.
    this.#kernels.crossEntropyRows(
      this.at(loss, rows), this.at(logSumExp, rows), this.at(x, rows * columns), this.at(targets, rows),
      columns, 0, rows,
    );
  }

  crossEntropyRowsBackward(
    dx: Sink,
    dLoss: Span,
    x: Span,
    logSumExp: Span,
    targets: Span,
    rows: number,
    columns: number,
  ): void {
    this.#checkTargets(targets, rows, columns);
    // biome-ignore format: as the kernel has them.
    this.#kernels.crossEntropyRowsBackward(
      this.at(dx.span, rows * columns), this.at(dLoss, rows), this.at(x, rows * columns),
      this.at(logSumExp, rows), this.at(targets, rows), columns, adds(dx), 0, rows,
    );
  }

  attention(y: Matrices, logSumExp: Span, q: Matrices, k: Matrices, v: Matrices, size: AttentionSize): void {
    attention(this.heap, this.#kernels, y, logSumExp, q, k, v, size);
  }

  attentionBackward(
    dq: Matrices,
    dk: Matrices,
    dv: Matrices,
    dy: Matrices,
    y: Matrices,
    logSumExp: Span,
    q: Matrices,
    k: Matrices,
    v: Matrices,
    size: AttentionSize,
    accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
  ): void {
    attentionBackward(this.heap, this.#kernels, dq, dk, dv, dy, y, logSumExp, q, k, v, size, accumulate);
  }

  sumOfSquares(y: Span, at: number, x: Span): void {
    const to = this.at(y, at + 1) + bytesPerNumber * at;
    const from = this.at(x, x.length);
    const chunks = Math.ceil(x.length / chunkLength);
    // A chunk's sum is in double precision: as long as two numbers.
    const sums = this.heap.alloc(2 * chunks);
    this.#kernels.sumOfSquaresInChunks(sums.pointer, from, x.length, 0, chunks);
    this.#kernels.sumOfChunks(to, sums.pointer, chunks);
    this.heap.free(sums);
  }

  adamw(parameter: Span, gradient: Span, moment1: Span, moment2: Span, step: AdamWStep): void {
    const n = parameter.length;
    const { learningRate, weightDecay, beta1, beta2, epsilon, gradientScale } = step;
    // biome-ignore format: as the kernel has them.
    this.#kernels.adamw(
      this.at(parameter, n), this.at(gradient, n), this.at(moment1, n), this.at(moment2, n),
      gradientScale, 1 - learningRate * weightDecay, beta1, 1 - beta1, beta2, 1 - beta2,
      learningRate / step.correction1, Math.sqrt(step.correction2), epsilon, 0, n,
    );
  }

  #checkIndices(kernel: string, indices: Span, rows: number, limit: number): void {
    this.at(indices, rows);
    const numbers = this.numbers(indices);
    for (let i = 0; i < rows; i++) {
      // A table of rows without columns has any number of them: 0/0.
      if (numbers[i] >= 0 && !(numbers[i] >= limit)) continue;
      throw new BackendError(
        `wasm: ${kernel}: index ${numbers[i]} at place ${i} is not one of ${limit} rows`,
      );
    }
  }

  #checkTargets(targets: Span, rows: number, columns: number): void {
    this.at(targets, rows);
    const numbers = this.numbers(targets);
    for (let i = 0; i < rows; i++) {
      if (numbers[i] < columns) continue;
      throw new BackendError(
        `wasm: crossEntropyRows: target ${numbers[i]} of row ${i} is not one of ${columns} columns`,
      );
    }
  }
}

/** Whether the sink is added to, as kernels are told. */
function adds(sink: Sink | null): number {
  return sink?.accumulate ? 1 : 0;
}
