/**
 * Numbers that kernels need from the host: token ids, positions, key ranges. A kernel finds them in its memory for the
 * length of one call. While calls are captured they stay there, and every replay reads their sources again.
 */
import type { Heap, WasmBuffer } from "./heap.ts";

const bytesPerNumber = 4;

export interface HostArray {
  /** What the numbers are read from: within one capture, the same source is copied once. */
  readonly source: object;
  readonly length: number;
  /** Writes the numbers that the source holds now to floats[at …]. */
  put(floats: Float32Array, at: number): void;
}

interface Kept {
  readonly array: HostArray;
  readonly buffer: WasmBuffer;
}

/** The host arrays of captured calls. */
export interface KeptArrays {
  /** Reads every source again. */
  refresh(): void;
  free(): void;
}

export class HostArrays {
  readonly #heap: Heap;
  /** null unless calls are being captured. */
  #kept: Kept[] | null = null;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Calls `kernel` with the address of the numbers. */
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

  /** Runs `body` and keeps every array that it lends. */
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
