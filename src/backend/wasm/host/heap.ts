/**
 * The memory that all kernels and threads share: buffers of 32-bit floats in one WebAssembly.Memory.
 *
 * Training steps repeat the same allocations, so a freed block goes to a free list for its exact size, and
 * memory stops growing after the first step. Only if memory would have to grow while more than half of it is free are
 * neighboring free blocks merged, so that sizes that do not recur do not hold memory forever.
 *
 * Pointers and bytes are addresses in that memory; lengths count numbers.
 */
import { BackendError } from "../../../errors.ts";
import type { Buffer } from "../../backend.ts";

export const bytesPerNumber = 4;
/** A cache line, so that no 16-byte vector of a buffer crosses one. */
const alignment = 64;
const pageBytes = 65536;
/** The space for the kernels' constants, from address 64 on; see kernels/constants.ts. */
const constantBytes = 1024 - alignment;
/** Memory grows by at least this much and at least an eighth, which keeps both growths and waste small. */
const leastGrowthBytes = 64 * pageBytes;

/** A buffer at a byte address. */
export class WasmBuffer implements Buffer {
  readonly length: number;
  readonly pointer: number;
  /** The heap that it belongs to; null once freed. */
  heap: Heap | null;

  constructor(length: number, pointer: number, heap: Heap) {
    this.length = length;
    this.pointer = pointer;
    this.heap = heap;
  }
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  /** Sizes and strides of a kernel call that has too many for arguments. */
  readonly parameters: WasmBuffer;
  /** The parameters as integers. This view stays valid, because shared memory grows but never moves. */
  readonly parameterWords: Int32Array;
  /** Counts accesses of the host to memory, other than those for the arguments of kernels. */
  hostAccesses = 0;
  readonly #maximumBytes: number;
  #floats: Float32Array;
  /** Memory from here on is unused. Address 0 is never used, because to a kernel it means "no buffer". */
  #end = alignment + constantBytes;
  /** Pointers to free blocks, by their size in bytes. */
  #free = new Map<number, number[]>();
  /** During `isolated`, the free blocks of all other code. */
  #common: Map<number, number[]> | null = null;
  #freeBytes = 0;
  /** Scratch memory of all threads, one after another. */
  #scratch: WasmBuffer | null = null;
  #scratchStride = 0;

  /**
   * @param maximumBytes the limit for memory; 32-bit addresses allow 4 GiB
   * @param threads      the number of threads that need scratch memory
   */
  constructor(maximumBytes = 2 ** 32, threads = 1) {
    this.threads = threads;
    const maximum = Math.floor(maximumBytes / pageBytes);
    this.#maximumBytes = maximum * pageBytes;
    try {
      const initial = Math.min(leastGrowthBytes / pageBytes, maximum);
      this.memory = new WebAssembly.Memory({ initial, maximum, shared: true });
    } catch (error) {
      throw new BackendError(
        `wasm: the system does not reserve ${maximumBytes / 2 ** 30} GiB of addresses for WebAssembly, as under ulimit -v (${error}); \`backend\` reference needs none, and is slow`,
        { cause: error },
      );
    }
    this.#floats = new Float32Array(this.memory.buffer);
    this.parameters = this.alloc(240);
    const { pointer, length } = this.parameters;
    this.parameterWords = new Int32Array(this.memory.buffer, pointer, length);
  }

  /** All memory as numbers: a buffer begins at index pointer / 4. Memory added by a later `alloc` is not included. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** The size of memory, used or free. */
  get bytes(): number {
    return this.#floats.byteLength;
  }

  /** A new buffer with unspecified contents. */
  alloc(length: number): WasmBuffer {
    return this.#alloc(length, this.#free);
  }

  /**
   * Like `alloc`, but during `isolated`, returns memory that its body has not used, so that a replay does not overwrite
   * it.
   */
  allocUnused(length: number): WasmBuffer {
    return this.#alloc(length, this.#common ?? this.#free);
  }

  #alloc(length: number, free: Map<number, number[]>): WasmBuffer {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new BackendError(`wasm: the length of a buffer must be a whole number ≥ 0: got ${length}`);
    }
    return new WasmBuffer(length, length === 0 ? 0 : this.#takeBlock(blockBytes(length), free), this);
  }

  /** @throws BackendError if the buffer was already freed, or belongs to another heap */
  free(buffer: Buffer): void {
    const pointer = this.pointer(buffer);
    if (buffer.length > 0) this.#keepBlock(pointer, blockBytes(buffer.length));
    if (buffer instanceof WasmBuffer) buffer.heap = null;
  }

  /** @throws BackendError if the buffer was freed, or belongs to another heap */
  pointer(buffer: Buffer): number {
    if (buffer instanceof WasmBuffer && buffer.heap === this) return buffer.pointer;
    if (buffer instanceof WasmBuffer && buffer.heap === null) {
      throw new BackendError(`wasm: a buffer of ${buffer.length} was used after free`);
    }
    throw new BackendError("wasm: this buffer lives in another backend's memory");
  }

  /**
   * Runs `body` with separate free lists. Blocks that it frees are reused only by itself, even after it has ended, so
   * that its kernel calls can be replayed. The caller must free the buffers that `body` leaves allocated.
   *
   * @returns releases the free blocks for general use
   */
  isolated(body: () => void): () => void {
    const own = new Map<number, number[]>();
    const release = () => {
      for (const [bytes, pointers] of own) for (const pointer of pointers) this.#keepBlock(pointer, bytes);
      own.clear();
    };
    const common = this.#free;
    [this.#free, this.#common] = [own, common];
    let isDone = false;
    try {
      body();
      isDone = true;
    } finally {
      [this.#free, this.#common] = [common, null];
      for (const [bytes, pointers] of own) this.#freeBytes -= bytes * pointers.length;
      if (!isDone) release();
    }
    return release;
  }

  /**
   * Scratch memory for one kernel, at least `length` numbers per thread. Returns the address for the first thread; the
   * memory of each further thread follows after `scratchStride` bytes.
   */
  scratch(length: number): number {
    const stride = blockBytes(length);
    if (this.#scratch === null || stride > this.#scratchStride) {
      if (this.#scratch !== null) this.free(this.#scratch);
      this.#scratchStride = stride;
      this.#scratch = this.alloc((this.threads * stride) / bytesPerNumber);
    }
    return this.#scratch.pointer;
  }

  get scratchStride(): number {
    return this.#scratchStride;
  }

  #takeBlock(bytes: number, free: Map<number, number[]>): number {
    const pointer = free.get(bytes)?.pop() ?? this.#common?.get(bytes)?.pop();
    if (pointer !== undefined) {
      this.#freeBytes -= bytes;
      return pointer;
    }
    if (this.#end + bytes > this.bytes) {
      const cannotGrow = this.#end + bytes > this.#maximumBytes;
      const isWorthIt = cannotGrow || this.#freeBytes > this.#end / 2;
      // Not while isolated: it would take free blocks of other code.
      const part = isWorthIt && this.#common === null ? this.#joinAndSplit(bytes) : null;
      if (part !== null) return part;
      if (this.#end + bytes > this.bytes) this.#grow(bytes);
    }
    this.#end += bytes;
    return this.#end - bytes;
  }

  #keepBlock(pointer: number, bytes: number): void {
    const pointers = this.#free.get(bytes);
    if (pointers === undefined) this.#free.set(bytes, [pointer]);
    else pointers.push(pointer);
    this.#freeBytes += bytes;
  }

  /** Merges neighboring free blocks and takes `bytes` from the first that is large enough; null if none is. */
  #joinAndSplit(bytes: number): number | null {
    const blocks = [...this.#free].flatMap(([size, pointers]) =>
      pointers.map((start) => ({ start, end: start + size })),
    );
    blocks.sort((a, b) => a.start - b.start);
    const joined: typeof blocks = [];
    for (const block of blocks) {
      const last = joined.at(-1);
      if (last?.end === block.start) last.end = block.end;
      else joined.push(block);
    }
    this.#free.clear();
    this.#freeBytes = 0;
    const found = joined.find((block) => block.end - block.start >= bytes);
    for (const block of joined) {
      const start = block === found ? block.start + bytes : block.start;
      // A block at the end of used memory becomes unused again.
      if (block.end === this.#end) this.#end = start;
      else if (start < block.end) this.#keepBlock(start, block.end - start);
    }
    return found?.start ?? null;
  }

  /** Adds room for `bytes` more at the end. */
  #grow(bytes: number): void {
    const needed = this.#end + bytes;
    const wanted = Math.max(needed, this.bytes + Math.max(leastGrowthBytes, this.bytes / 8));
    const target = Math.min(wanted, this.#maximumBytes);
    try {
      if (needed > target) throw new RangeError("beyond the limit");
      this.memory.grow(Math.ceil((target - this.bytes) / pageBytes));
    } catch (error) {
      const inUse = this.#end - this.#freeBytes;
      throw new BackendError(
        `wasm: cannot allocate ${bytes} bytes: ${inUse} of ${this.bytes} are in use, and memory may grow to ` +
          `${this.#maximumBytes} (${error}). Free buffers that are no longer needed, or use smaller ones.`,
      );
    }
    this.#floats = new Float32Array(this.memory.buffer);
  }
}

function blockBytes(length: number): number {
  return Math.ceil((length * bytesPerNumber) / alignment) * alignment;
}
