/**
 * Numbers that kernels read from the host: token ids, positions, key ranges. They are copied to kernel memory for the
 * duration of a call. During capture the copies are kept, and every replay refreshes them from their sources.
 */
import { bytesPerNumber, type Heap, type WasmBuffer } from "./heap.ts";

export interface HostArray {
  /** Where the numbers come from. Within a capture, each source is copied only once. */
  readonly source: object;
  readonly length: number;
  /** Writes the current numbers of the source to floats[at …]. */
  put(floats: Float32Array, at: number): void;
}

interface Kept {
  readonly array: HostArray;
  readonly buffer: WasmBuffer;
}

/** The host arrays of captured calls. */
export interface KeptArrays {
  /** Copies every source again. */
  refresh(): void;
  free(): void;
}

export class HostArrays {
  readonly #heap: Heap;
  /** null outside a capture. */
  #kept: Kept[] | null = null;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Calls `kernel` with the address of a copy of the numbers. */
  lend(array: HostArray, kernel: (at: number) => void): void {
    if (this.#kept !== null) {
      kernel(this.#keep(this.#kept, array).buffer.pointer);
      return;
    }
    const buffer = this.#heap.alloc(array.length);
    try {
      this.#put(array, buffer);
      kernel(buffer.pointer);
    } finally {
      this.#heap.free(buffer);
    }
  }

  /** Runs `body` and keeps every array lent during it. */
  keepDuring(body: () => void): KeptArrays {
    const kept: Kept[] = [];
    const arrays = {
      refresh: () => {
        for (const { array, buffer } of kept) this.#put(array, buffer);
      },
      free: () => {
        for (const { buffer } of kept) this.#heap.free(buffer);
      },
    };
    this.#kept = kept;
    let isDone = false;
    try {
      body();
      isDone = true;
    } finally {
      this.#kept = null;
      if (!isDone) arrays.free();
    }
    return arrays;
  }

  #keep(kept: Kept[], array: HostArray): Kept {
    const same = kept.find(
      ({ array: { source, length } }) => source === array.source && length === array.length,
    );
    if (same !== undefined) return same;
    const made = { array, buffer: this.#heap.allocUnused(array.length) };
    kept.push(made);
    this.#put(array, made.buffer);
    return made;
  }

  #put(array: HostArray, { pointer }: WasmBuffer): void {
    array.put(this.#heap.floats, pointer / bytesPerNumber);
  }
}
