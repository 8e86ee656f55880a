/**
 * Storages: numbers in the backend's memory, their gradient, and how long they live. Several tensors may share one
 * storage, and with it one gradient. Gradients of an `add` share memory until one of them is written to.
 */
import type { Buffer, WriteTarget } from "../backend/backend.ts";
import { TensorError } from "../errors.ts";
import type { Context } from "./context.ts";

/**
 * How long a storage lives. "persistent": until it is freed by hand or its context closes (parameters, caches).
 * "scope": until its scope closes, or until backward has used it up.
 */
export type Lifetime = "persistent" | "scope";

/** Memory of a gradient, and how many storages it belongs to. Only who has it alone may write to it. */
interface GradientMemory {
  readonly buffer: Buffer;
  owners: number;
}

/** Numbers in the backend's memory, their gradient once there is one, and who may still use them. */
export class Storage {
  readonly context: Context;
  readonly lifetime: Lifetime;
  /** Whether backward brings a gradient here. */
  readonly needsGradient: boolean;
  /** Why the storage is gone; null while it lives. */
  freed: string | null = null;
  /** Set once the op that made this storage has been differentiated. */
  differentiated = false;
  #value: Buffer;
  #gradient: GradientMemory | null = null;
  /** False while the gradient's memory holds nothing yet, or something stale. */
  #hasGradient = false;

  constructor(context: Context, value: Buffer, lifetime: Lifetime, needsGradient: boolean) {
    this.context = context;
    this.#value = value;
    this.lifetime = lifetime;
    this.needsGradient = needsGradient;
  }

  /** @throws TensorError once it is freed */
  get value(): Buffer {
    this.#checkAlive();
    return this.#value;
  }

  get gradient(): Buffer | null {
    return this.#hasGradient && this.#gradient !== null ? this.#gradient.buffer : null;
  }

  /** Where backward writes this gradient whole: the first writer replaces, each later one adds. */
  gradientTarget(): WriteTarget {
    const target = { buffer: this.#gradientMemory(), accumulate: this.#hasGradient };
    this.#hasGradient = true;
    this.context.gradientWritten(this);
    return target;
  }

  /**
   * Adds the gradient of an output of the same size, which an op hands on as it is. Where none has arrived yet, the
   * two share its memory until one of them is written to: most often the output is freed before that.
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

  /** For a writer that only adds to parts of the gradient: zeros before the first. */
  zeroedGradient(): Buffer {
    const { buffer, accumulate } = this.gradientTarget();
    if (!accumulate) this.context.backend.fill(buffer, 0);
    return buffer;
  }

  /** Forgets the gradient's contents and keeps its memory: the next writer replaces them. */
  clearGradient(): void {
    this.#hasGradient = false;
  }

  free(why: string): void {
    if (this.freed !== null) return;
    this.freed = why;
    this.context.backend.free(this.#value);
    this.#leaveGradient();
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
    this.#leaveGradient();
    this.#gradient = { buffer, owners: 1 };
    return buffer;
  }

  #leaveGradient(): void {
    if (this.#gradient === null) return;
    this.#gradient.owners -= 1;
    if (this.#gradient.owners === 0) this.context.backend.free(this.#gradient.buffer);
    this.#gradient = null;
  }
}
