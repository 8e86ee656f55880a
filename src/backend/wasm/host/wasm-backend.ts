/**
 * The WebAssembly backend: SIMD kernels over one shared memory, with the same bits on every machine.
 *
 * Each method translates buffers to addresses and calls a kernel. See ../kernels for the implementation and
 * ../../reference for the formulas. The methods are spread over a chain of classes: memory (wasm-memory.ts), elements
 * (wasm-elements.ts), rows (wasm-rows.ts), and the rest here.
 */
import type {
  AdamWStep,
  AdamWTarget,
  AttentionSize,
  Backend,
  Buffer,
  CapturedCalls,
  Matrices,
  ProductSize,
  SoftmaxStatistics,
} from "../../backend.ts";
import { Recorder } from "../capture/captured-calls.ts";
import { ThreadPool, type ThreadStart, type Threads } from "../threads/pool.ts";
import { attention, attentionBackward } from "./attention.ts";
import { gemm } from "./gemm.ts";
import { Heap } from "./heap.ts";
import { type HostKernels, instantiate } from "./instance.ts";
import { adamw, sumsOfSquares } from "./multi-tensor.ts";
import type { KernelExports } from "./signatures.ts";
import { WasmRows } from "./wasm-rows.ts";

export class WasmBackend extends WasmRows implements Backend {
  readonly name: string = "wasm";
  readonly exact: boolean;
  readonly library: string | null = null;
  readonly #pool: ThreadPool | null;
  readonly #host: HostKernels;
  #recorder: Recorder | null = null;

  /**
   * @param module the compiled kernels: `loadKernels` of ../open.ts
   * @param divide wraps the kernels, for example to run parts of a range on several threads
   * @param heap   the memory of kernels and buffers
   * @param pool   the threads to stop when the backend closes
   * @param exact  false for kernels whose bits depend on the machine, like the fast ones
   * @param host   the kernels that captured calls take from here; `divide` may fill it
   */
  constructor(
    module: WebAssembly.Module,
    divide = (kernels: KernelExports): KernelExports => kernels,
    heap = new Heap(),
    pool: ThreadPool | null = null,
    exact = true,
    host: HostKernels = {},
  ) {
    super(heap, divide(instantiate(module, heap.memory, host)));
    this.exact = exact;
    this.#host = host;
    this.#pool = pool;
  }

  /**
   * A backend with several threads. It computes the same bits as one.
   *
   * @param heap  made for as many threads, including the calling one
   * @param spawn starts the other threads on the host
   */
  static async onThreads(
    module: WebAssembly.Module,
    heap: Heap,
    spawn: (start: ThreadStart) => Threads,
    exact = true,
  ): Promise<WasmBackend> {
    const pool = await ThreadPool.start(heap.threads, module, heap, spawn);
    return new WasmBackend(module, (kernels) => pool.share(kernels), heap, pool, exact);
  }

  get threads(): number {
    return this.heap.threads;
  }

  capture(body: () => void): CapturedCalls | null {
    this.#recorder ??= new Recorder(this.heap, this.hostArrays, this.kernels, this.#host);
    this.kernels = this.#recorder.capturing;
    try {
      return this.#recorder.capture(body);
    } finally {
      this.kernels = this.#recorder.kernels;
    }
  }

  /** Stops the threads. The memory is freed when nothing refers to it. */
  async close(): Promise<void> {
    await this.#pool?.stop();
  }

  gemm(c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void {
    gemm(this.heap, this.kernels, c, a, b, size);
  }

  attention(
    y: Matrices,
    statistics: SoftmaxStatistics,
    q: Matrices,
    k: Matrices,
    v: Matrices,
    size: AttentionSize,
  ): void {
    attention(this.heap, this.hostArrays, this.kernels, y, statistics, q, k, v, size);
  }

  attentionBackward(
    dq: Matrices,
    dk: Matrices,
    dv: Matrices,
    dy: Matrices,
    y: Matrices,
    statistics: SoftmaxStatistics,
    q: Matrices,
    k: Matrices,
    v: Matrices,
    size: AttentionSize,
    accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
  ): void {
    attentionBackward(
      this.heap,
      this.hostArrays,
      this.kernels,
      dq,
      dk,
      dv,
      dy,
      y,
      statistics,
      q,
      k,
      v,
      size,
      accumulate,
    );
  }

  sumsOfSquares(y: Buffer, xs: readonly Buffer[]): void {
    sumsOfSquares(this.heap, this.kernels, y, xs);
  }

  adamw(targets: readonly AdamWTarget[], step: AdamWStep): void {
    adamw(this.heap, this.kernels, targets, step);
  }
}
