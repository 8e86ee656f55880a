/** The memory of the WebAssembly backend: what enters and leaves it, and where a kernel finds its spans. */
import { BackendError } from "../../errors.ts";
import type { Memory, Sink, Span, Strided } from "../backend.ts";
import type { Heap } from "./heap.ts";

export const bytesPerNumber = 4;

export class WasmMemory implements Memory {
  protected readonly heap: Heap;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  alloc(length: number): Span {
    return this.heap.alloc(length);
  }

  free(span: Span): void {
    this.heap.free(span);
  }

  fill(dst: Span, value: number): void {
    this.numbers(dst).fill(value);
  }

  write(dst: Span, src: ArrayLike<number>, at = 0): void {
    this.at(dst, at + src.length);
    this.numbers(dst).set(src, at);
  }

  read(src: Span): Promise<Float32Array> {
    return Promise.resolve(this.numbers(src).slice());
  }

  /** The address of a span that must hold `length` numbers, or a kernel runs on into its neighbour; 0 for none. */
  protected at(span: Span | null, length: number): number {
    if (span === null) return 0;
    if (span.length < length) {
      throw new BackendError(
        `wasm: a kernel needs a span of ${length} numbers, this one holds ${span.length}`,
      );
    }
    return this.heap.pointer(span);
  }

  /** The address of a span in which a whole strided block must lie. */
  protected atBlock({ span, offset, strides }: Strided, shape: readonly number[]): number {
    if (shape.includes(0)) return this.at(span, 0);
    const reaches = shape.map((length, axis) => (length - 1) * strides[axis]);
    const first = reaches.reduce((at, reach) => at + Math.min(reach, 0), offset);
    const last = reaches.reduce((at, reach) => at + Math.max(reach, 0), offset);
    if (first < 0 || last >= span.length) {
      throw new BackendError(
        `wasm: copy of [${shape}] with strides [${strides}] from ${offset} reaches numbers ${first} … ${last} ` +
          `of a span that holds ${span.length}`,
      );
    }
    return this.heap.pointer(span);
  }

  /** The numbers of a span, as a view that holds until the next `alloc`. */
  protected numbers(span: Span): Float32Array {
    const first = this.at(span, span.length) / bytesPerNumber;
    return this.heap.floats.subarray(first, first + span.length);
  }
}

/** Whether the sink is added to, as kernels are told. */
export function adds(sink: Sink | null): number {
  return sink?.accumulate ? 1 : 0;
}
