/** The memory of the WebAssembly backend: what enters and leaves it, and where a kernel finds its spans. */
import { BackendError } from "../../../errors.ts";
import type { Memory, Sink, Span, Strided } from "../../backend.ts";
import type { Heap } from "./heap.ts";

export const bytesPerNumber = 4;
const FEW_NUMBERS = 16;

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
    this.heap.hostAccesses++;
    const first = this.placeOf(dst);
    this.heap.floats.fill(value, first, first + dst.length);
  }

  write(dst: Span, src: ArrayLike<number>, at = 0): void {
    this.heap.hostAccesses++;
    this.at(dst, at + src.length);
    const first = this.placeOf(dst) + at;
    const { floats } = this.heap;
    // For the few numbers that say where a token stands, a call would take longer than they.
    if (src.length > FEW_NUMBERS) floats.set(src, first);
    else for (let i = 0; i < src.length; i++) floats[first + i] = src[i];
  }

  read(src: Span): Promise<Float32Array> {
    this.heap.hostAccesses++;
    const first = this.placeOf(src);
    return Promise.resolve(this.heap.floats.slice(first, first + src.length));
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

  /** Where a span's numbers begin among `heap.floats`: a view of its own would take longer than a short loop. */
  protected placeOf(span: Span): number {
    return this.heap.pointer(span) / bytesPerNumber;
  }
}

/** Whether the sink is added to, as kernels are told. */
export function adds(sink: Sink | null): number {
  return sink?.accumulate ? 1 : 0;
}
