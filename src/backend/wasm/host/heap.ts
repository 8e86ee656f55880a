/**
 * The memory that every kernel and thread shares: buffers of 32-bit floats in one WebAssembly.Memory.
 *
 * A step of training asks for the same sizes again and again, so a freed block waits in the list of its exact
 * size, and memory is flat after the first step. Only when memory would grow while more than half of it is free
 * are neighboring free blocks joined: sizes that never come back do not hold memory for ever.
 *
 * Pointers and bytes are addresses in that memory; lengths count numbers.
 */
import { BackendError } from "../../../errors.ts";
import type { Buffer } from "../../backend.ts";

const bytesPerNumber = 4;
/** A cache line: no 16-byte vector of a buffer straddles two. */
const alignment = 64;
const pageBytes = 65536;
/** What the kernels' constants may take, from address 64 on: see kernels/constants.ts. */
const constantBytes = 1024 - alignment;
/** Memory grows by this much at least, and by an eighth: growths are few and waste is small. */
const leastGrowthBytes = 64 * pageBytes;

/** Numbers at a byte address. */
export class WasmBuffer implements Buffer {
  readonly length: number;
  readonly pointer: number;
  /** The heap it lives in; null once freed. */
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
  /** Room for the sizes and strides of one kernel call, when they are too many for arguments. */
  readonly parameters: WasmBuffer;
  /** The parameters as integers. This view holds: shared memory grows, but never moves. */
  readonly parameterWords: Int32Array;
  /** How often the host has written to memory or read it, other than to lay out a kernel call. */
  hostAccesses = 0;
  readonly #maximumBytes: number;
  #floats: Float32Array;
  /** Everything from here on was never handed out. Address 0 never is: to a kernel it means "no buffer". */
  #end = alignment + constantBytes;
  /** Pointers to free blocks, by their size in bytes. */
  #free = new Map<number, number[]>();
  /** While something runs apart, the free blocks of everybody else. */
  #common: Map<number, number[]> | null = null;
  #freeBytes = 0;
  /** Working memory of all threads, one after the other. */
  #scratch: WasmBuffer | null = null;
  #scratchStride = 0;

  /**
   * @param maximumBytes how far memory may grow; 4 GiB is what 32-bit addresses reach
   * @param threads      how many need working memory of their own
   */
  constructor(maximumBytes = 2 ** 32, threads = 1) {
    this.threads = threads;
    const maximum = Math.floor(maximumBytes / pageBytes);
    this.#maximumBytes = maximum * pageBytes;
    try {
      const initial = Math.min(leastGrowthBytes / pageBytes, maximum);
      this.memory = new WebAssembly.Memory({ initial, maximum, shared: true });
    } catch (error) {
      throw new BackendError(`wasm: cannot reserve ${maximumBytes} bytes of addresses: ${error}`);
    }
    this.#floats = new Float32Array(this.memory.buffer);
    this.parameters = this.alloc(240);
    const { pointer, length } = this.parameters;
    this.parameterWords = new Int32Array(this.memory.buffer, pointer, length);
  }

  /** All of memory as numbers: a buffer begins at pointer / 4. It does not see what a later `alloc` adds. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** The size of memory, free or not. */
  get bytes(): number {
    return this.#floats.byteLength;
  }

  /** A new buffer with unspecified contents. */
  alloc(length: number): WasmBuffer {
    return this.#alloc(length, this.#free);
  }

  /** The same during `apart`, but in memory that its body has not used: a replay does not write there. */
  allocUnused(length: number): WasmBuffer {
    return this.#alloc(length, this.#common ?? this.#free);
  }

  #alloc(length: number, free: Map<number, number[]>): WasmBuffer {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new BackendError(`wasm: the length of a buffer is a whole number, 0 or more: got ${length}`);
    }
    return new WasmBuffer(length, length === 0 ? 0 : this.#takeBlock(blockBytes(length), free), this);
  }

  /** @throws BackendError when the buffer was freed before, or is not of this heap */
  free(buffer: Buffer): void {
    const pointer = this.pointer(buffer);
    if (buffer.length > 0) this.#keepBlock(pointer, blockBytes(buffer.length));
    if (buffer instanceof WasmBuffer) buffer.heap = null;
  }

  /** @throws BackendError when the buffer was freed, or is not of this heap */
  pointer(buffer: Buffer): number {
    if (buffer instanceof WasmBuffer && buffer.heap === this) return buffer.pointer;
    if (buffer instanceof WasmBuffer && buffer.heap === null) {
      throw new BackendError(`wasm: a buffer of ${buffer.length} was used after free`);
    }
    throw new BackendError("wasm: this buffer lives in another backend's memory");
  }

  /**
   * Runs `body` with free blocks of its own: what it frees is used again by itself alone, also after its end, so that
   * its kernel calls can be made again. What it leaves allocated is for the caller to free, when that is over.
   *
   * @returns gives the free blocks to everybody
   */
  apart(body: () => void): () => void {
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
   * Working memory during one kernel, at least `length` numbers for each thread: the address of the first thread's.
   * Each next thread's stands `scratchStride` bytes further.
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
      // Apart, nothing is joined: blocks of everybody would become its own.
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

  /** Joins neighboring free blocks and cuts `bytes` from the first that is large enough; null when none is. */
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
      // What borders on memory that was never handed out is part of it again.
      if (block.end === this.#end) this.#end = start;
      else if (start < block.end) this.#keepBlock(start, block.end - start);
    }
    return found?.start ?? null;
  }

  /** Makes room for `bytes` more at the end. */
  #grow(bytes: number): void {
    const needed = this.#end + bytes;
    const wanted = Math.max(needed, this.bytes + Math.max(leastGrowthBytes, this.bytes / 8));
    const target = Math.min(wanted, this.#maximumBytes);
    try {
      if (needed > target) throw new RangeError("that is past the limit");
      this.memory.grow(Math.ceil((target - this.bytes) / pageBytes));
    } catch (error) {
      const inUse = this.#end - this.#freeBytes;
      throw new BackendError(
        `wasm: no room for ${bytes} bytes more: ${inUse} are in use, memory holds ${this.bytes} and may grow to ` +
          `${this.#maximumBytes} (${error}). Free buffers that are done with, or use smaller ones.`,
      );
    }
    this.#floats = new Float32Array(this.memory.buffer);
  }
}

function blockBytes(length: number): number {
  return Math.ceil((length * bytesPerNumber) / alignment) * alignment;
}
