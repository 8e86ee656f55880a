/** The memory of the WebAssembly backend: transfer between host and kernels, and addresses of buffers. */
import { BackendError } from "../../../errors.ts";
import type { Allocator, Buffer, HostIntegers, Strided, WriteTarget } from "../../backend.ts";
import { bytesPerNumber, type Heap } from "./heap.ts";
import { HostArrays } from "./host-arrays.ts";

const FEW_NUMBERS = 16;

export class WasmMemory implements Allocator {
  protected readonly heap: Heap;
  protected readonly hostArrays: HostArrays;

  constructor(heap: Heap) {
    this.heap = heap;
    this.hostArrays = new HostArrays(heap);
  }

  alloc(length: number): Buffer {
    return this.heap.alloc(length);
  }

  free(buffer: Buffer): void {
    this.heap.free(buffer);
  }

  fill(dst: Buffer, value: number): void {
    this.heap.hostAccesses++;
    const first = this.firstIndex(dst);
    this.heap.floats.fill(value, first, first + dst.length);
  }

  write(dst: Buffer, src: ArrayLike<number>, at = 0): void {
    this.heap.hostAccesses++;
    this.at(dst, at + src.length);
    const first = this.firstIndex(dst) + at;
    const { floats } = this.heap;
    // For a few numbers, the call of `set` would take longer than a loop.
    if (src.length > FEW_NUMBERS) floats.set(src, first);
    else for (let i = 0; i < src.length; i++) floats[first + i] = src[i];
  }

  read(src: Buffer): Promise<Float32Array> {
    return Promise.resolve(this.view(src).slice());
  }

  view(buffer: Buffer): Float32Array {
    this.heap.hostAccesses++;
    const first = this.firstIndex(buffer);
    return this.heap.floats.subarray(first, first + buffer.length);
  }

  /**
   * The address of a buffer, 0 for null. A buffer shorter than `length` is an error, because the kernel would access
   * memory outside it.
   */
  protected at(buffer: Buffer | null, length: number): number {
    if (buffer === null) return 0;
    if (buffer.length < length) {
      throw new BackendError(`wasm: a kernel needs a buffer of ${length} numbers: got ${buffer.length}`);
    }
    return this.heap.pointer(buffer);
  }

  /** Calls a kernel with the address of integers from the host. */
  protected withIntegers(integers: HostIntegers, count: number, kernel: (at: number) => void): void {
    const put = (floats: Float32Array, at: number) => {
      for (let i = 0; i < count; i++) floats[at + i] = integers[i];
    };
    this.hostArrays.lend({ source: integers, length: count, put }, kernel);
  }

  /** The address of the buffer of a strided block, which must lie within it. */
  protected atBlock({ buffer, offset, strides }: Strided, shape: readonly number[]): number {
    if (shape.includes(0)) return this.at(buffer, 0);
    const reaches = shape.map((length, axis) => (length - 1) * strides[axis]);
    const first = reaches.reduce((at, reach) => at + Math.min(reach, 0), offset);
    const last = reaches.reduce((at, reach) => at + Math.max(reach, 0), offset);
    if (first < 0 || last >= buffer.length) {
      throw new BackendError(
        `wasm: copy of [${shape}] with strides [${strides}] from ${offset} accesses indices ${first} … ${last} ` +
          `of a buffer of ${buffer.length} numbers`,
      );
    }
    return this.heap.pointer(buffer);
  }

  /**
   * The index of a buffer's first number in `heap.floats`. Creating a view instead would take longer than a short loop.
   */
  protected firstIndex(buffer: Buffer): number {
    return this.heap.pointer(buffer) / bytesPerNumber;
  }
}

/** The `accumulate` flag of kernels: 1 if the target is added to. */
export function adds(target: WriteTarget | null): number {
  return target?.accumulate ? 1 : 0;
}
