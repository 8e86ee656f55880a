/**
 * Tensors: a shape over a storage. Ops make them, `Context` owns them, backward gives them gradients.
 *
 * Several tensors may share one storage (a reshape is free), and with it one gradient.
 */
import type { Sink, Span } from "../backend/backend.ts";
import { TensorError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Context } from "./context.ts";

/**
 * How long a storage lives. "held": until it is freed by hand or its context closes (parameters, caches).
 * "scope": until its scope closes, or until backward has used it up.
 */
export type Lifetime = "held" | "scope";

/** Memory of a gradient, and how many storages it belongs to. Only who has it alone may write to it. */
interface GradientMemory {
  readonly span: Span;
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
  #value: Span;
  #gradient: GradientMemory | null = null;
  /** False while the gradient's memory holds nothing yet, or something stale. */
  #hasGradient = false;

  constructor(context: Context, value: Span, lifetime: Lifetime, needsGradient: boolean) {
    this.context = context;
    this.#value = value;
    this.lifetime = lifetime;
    this.needsGradient = needsGradient;
  }

  /** @throws TensorError once it is freed */
  get value(): Span {
    this.#checkAlive();
    return this.#value;
  }

  get gradient(): Span | null {
    return this.#hasGradient && this.#gradient !== null ? this.#gradient.span : null;
  }

  /** Where backward writes this gradient whole: the first writer replaces, each later one adds. */
  gradientSink(): Sink {
    const sink = { span: this.#gradientMemory(), accumulate: this.#hasGradient };
    this.#hasGradient = true;
    this.context.reached(this);
    return sink;
  }

  /**
   * Adds the gradient of an output of the same size, which an op hands on as it is. Where none has arrived yet, the
   * two share its memory until one of them is written to: most often the output is freed before that.
   */
  receiveGradient(output: Storage): void {
    const shared = output.#gradient;
    if (shared === null || !output.#hasGradient) return;
    if (this.#gradient !== null) {
      this.context.backend.scale(this.gradientSink(), shared.span, 1);
      return;
    }
    this.#checkAlive();
    shared.owners += 1;
    this.#gradient = shared;
    this.#hasGradient = true;
  }

  /** For a writer that only adds to parts of the gradient: zeros before the first. */
  gradientToAddTo(): Span {
    const { span, accumulate } = this.gradientSink();
    if (!accumulate) this.context.backend.fill(span, 0);
    return span;
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

  #gradientMemory(): Span {
    this.#checkAlive();
    const { backend } = this.context;
    const shared = this.#gradient;
    if (shared?.owners === 1) return shared.span;
    const span = backend.alloc(this.#value.length);
    if (shared !== null && this.#hasGradient) backend.scale({ span, accumulate: false }, shared.span, 1);
    this.#leaveGradient();
    this.#gradient = { span, owners: 1 };
    return span;
  }

  #leaveGradient(): void {
    if (this.#gradient === null) return;
    this.#gradient.owners -= 1;
    if (this.#gradient.owners === 0) this.context.backend.free(this.#gradient.span);
    this.#gradient = null;
  }
}

export class Tensor {
  readonly shape: Shape;
  readonly storage: Storage;

  constructor(shape: Shape, storage: Storage) {
    this.shape = shape;
    this.storage = storage;
  }

  get context(): Context {
    return this.storage.context;
  }

  /** How many numbers it holds. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get needsGradient(): boolean {
    return this.storage.needsGradient;
  }

  /**
   * The numbers, for kernels.
   *
   * @throws TensorError once the tensor is freed
   */
  get span(): Span {
    return this.storage.value;
  }

  /** For kernels that write this tensor whole. */
  get sink(): Sink {
    return { span: this.span, accumulate: false };
  }

  /** The gradient that backward has brought so far; null where none has arrived. */
  get gradient(): Span | null {
    return this.storage.gradient;
  }

  /** See `Storage.gradientSink`. */
  gradientSink(): Sink {
    return this.storage.gradientSink();
  }

  /** See `Storage.receiveGradient`. */
  receiveGradient(output: Tensor): void {
    this.storage.receiveGradient(output.storage);
  }

  /** See `Storage.gradientToAddTo`. */
  gradientToAddTo(): Span {
    return this.storage.gradientToAddTo();
  }

  /** The same numbers under another shape of the same size; shares storage and gradient. */
  view(shape: Shape): Tensor {
    return new Tensor(shape, this.storage);
  }

  /** A copy of the numbers, in row-major order. */
  read(): Promise<Float32Array | Float64Array> {
    return this.context.backend.read(this.span);
  }

  /** The number of a tensor that holds one. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TensorError(`item: the tensor must hold one number: got ${formatShape(this.shape)}`);
    }
    return (await this.read())[0];
  }

  /** A copy of the gradient, in row-major order; zeros where none has arrived. */
  readGradient(): Promise<Float32Array | Float64Array> {
    const { gradient } = this;
    return this.context.backend.read(gradient ?? this.storage.gradientToAddTo());
  }

  /** Gives the memory back now. Only for tensors that are held; those of a scope go with their scope. */
  free(): void {
    this.storage.free("it was freed by hand");
    this.context.forget(this.storage);
  }
}
