/**
 * A storage is a buffer, its gradient, and their lifetime. Tensors that are views of each other share a storage, and
 * with it one gradient. The gradients of an `add` also share memory until one of them changes.
 */
import type { Buffer, WriteTarget } from "../backend/backend.ts";
import { TensorError } from "../errors.ts";
import type { Context } from "./context.ts";

/**
 * "persistent": until it is freed explicitly or its context closes (parameters, caches). "scope": until its scope
 * closes, or until backward no longer needs it.
 */
export type Lifetime = "persistent" | "scope";

/** The buffer of a gradient, and the number of storages that share it. It may be written only while there is one. */
interface GradientMemory {
  readonly buffer: Buffer;
  owners: number;
}

/** A buffer with its gradient and lifetime. */
export class Storage {
  readonly context: Context;
  readonly lifetime: Lifetime;
  /** Whether backward computes a gradient for this storage. */
  readonly needsGradient: boolean;
  /** Why the storage was freed; null while it is alive. */
  freed: string | null = null;
  /** Whether backward has already run through the op that produced this storage. */
  differentiated = false;
  #value: Buffer;
  #gradient: GradientMemory | null = null;
  /** False if the gradient's memory is uninitialized or out of date. */
  #hasGradient = false;

  constructor(context: Context, value: Buffer, lifetime: Lifetime, needsGradient: boolean) {
    this.context = context;
    this.#value = value;
    this.lifetime = lifetime;
    this.needsGradient = needsGradient;
  }

  /** @throws TensorError if the storage was freed */
  get value(): Buffer {
    this.#checkAlive();
    return this.#value;
  }

  get gradient(): Buffer | null {
    return this.#hasGradient && this.#gradient !== null ? this.#gradient.buffer : null;
  }

  /** Where backward writes the whole gradient: the first write replaces, later ones add. */
  gradientTarget(): WriteTarget {
    const target = { buffer: this.#gradientMemory(), accumulate: this.#hasGradient };
    this.#hasGradient = true;
    this.context.gradientWritten(this);
    return target;
  }

  /**
   * Adds the gradient of an output of the same size, unchanged. If this storage has none yet, the two share memory until
   * one of them is written. Usually the output is freed before that, and nothing is copied.
   */
  shareGradient(output: Storage): void {
    const shared = output.#gradient;
    if (shared === null || !output.#hasGradient) return;
    if (this.#gradient !== null) {
      this.context.backend.scale(this.gradientTarget(), shared.buffer, 1);
      return;
    }
    this.#checkAlive();
    shared.owners += 1;
    this.#gradient = shared;
    this.#hasGradient = true;
  }

  /** The gradient for writers that only add to parts of it, filled with zeros before the first. */
  zeroedGradient(): Buffer {
    const { buffer, accumulate } = this.gradientTarget();
    if (!accumulate) this.context.backend.fill(buffer, 0);
    return buffer;
  }

  /** Invalidates the gradient but keeps its memory: the next write replaces it. */
  clearGradient(): void {
    this.#hasGradient = false;
  }

  /** Hands the gradient over: the caller owns its memory, and there is none until the next backward pass. */
  takeGradient(): Buffer | null {
    if (!this.#hasGradient) return null;
    const buffer = this.#gradientMemory();
    this.#gradient = null;
    this.#hasGradient = false;
    return buffer;
  }

  /** Replaces the gradient. This storage owns its memory from then on. */
  setGradient(buffer: Buffer | null): void {
    this.#checkAlive();
    this.#releaseGradient();
    this.#gradient = buffer === null ? null : { buffer, owners: 1 };
    this.#hasGradient = buffer !== null;
  }

  free(why: string): void {
    if (this.freed !== null) return;
    this.freed = why;
    this.context.backend.free(this.#value);
    this.#releaseGradient();
    this.#hasGradient = false;
  }

  #checkAlive(): void {
    if (this.freed === null) return;
    const { length } = this.#value;
    throw new TensorError(`a tensor of ${length} numbers was used after it was freed: ${this.freed}`);
  }

  #gradientMemory(): Buffer {
    this.#checkAlive();
    const { backend } = this.context;
    const shared = this.#gradient;
    if (shared?.owners === 1) return shared.buffer;
    const buffer = backend.alloc(this.#value.length);
    if (shared !== null && this.#hasGradient) backend.scale({ buffer, accumulate: false }, shared.buffer, 1);
    this.#releaseGradient();
    this.#gradient = { buffer, owners: 1 };
    return buffer;
  }

  #releaseGradient(): void {
    if (this.#gradient === null) return;
    this.#gradient.owners -= 1;
    if (this.#gradient.owners === 0) this.context.backend.free(this.#gradient.buffer);
    this.#gradient = null;
  }
}
