/**
 * Tensors: a shape over a storage. Ops create them, a `Context` owns them, backward gives them gradients.
 */
import type { Buffer, WriteTarget } from "../backend/backend.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Context } from "./context.ts";
import type { Storage } from "./storage.ts";

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
  get buffer(): Buffer {
    return this.storage.value;
  }

  /** For kernels that write this tensor whole. */
  get target(): WriteTarget {
    return { buffer: this.buffer, accumulate: false };
  }

  /** The gradient that backward has brought so far; null where none has arrived. */
  get gradient(): Buffer | null {
    return this.storage.gradient;
  }

  /** See `Storage.gradientTarget`. */
  gradientTarget(): WriteTarget {
    return this.storage.gradientTarget();
  }

  /** See `Storage.shareGradient`. */
  shareGradient(output: Tensor): void {
    this.storage.shareGradient(output.storage);
  }

  /** See `Storage.zeroedGradient`. */
  zeroedGradient(): Buffer {
    return this.storage.zeroedGradient();
  }

  /** The same numbers under another shape of the same size; shares storage and gradient. */
  view(shape: Shape): Tensor {
    return new Tensor(shape, this.storage);
  }

  /** A copy of the numbers, in row-major order. */
  read(): Promise<Float32Array | Float64Array> {
    return this.context.backend.read(this.buffer);
  }

  /** The number of a tensor that holds one. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TensorError(`item: the tensor must hold one number: got ${formatShape(this.shape)}`);
    }
    return (await this.read())[0];
  }

  /**
   * Replaces numbers, in row-major order, from place `at` on.
   *
   * @throws ShapeError when they do not fit
   * @example weight.write([1, 2, 3])
   */
  write(values: ArrayLike<number>, at = 0): void {
    if (at < 0 || at + values.length > this.size) {
      throw new ShapeError(
        `write: ${formatShape(this.shape)} holds ${this.size} numbers: got ${values.length} from place ${at} on`,
      );
    }
    this.context.backend.write(this.buffer, values, at);
  }

  /**
   * Computes the gradient of this single number with respect to every tensor that needs one. Gradients of parameters
   * add up until `zeroGrad`.
   *
   * @throws TensorError when this is not a single number, depends on no parameter, or was differentiated before
   * @example loss.backward()
   */
  backward(): void {
    this.context.backward(this);
  }

  /** A copy of the gradient, in row-major order; zeros before backward. */
  grad(): Promise<Float32Array | Float64Array> {
    const { gradient } = this;
    return this.context.backend.read(gradient ?? this.storage.zeroedGradient());
  }

  /** Resets the gradient to zero. Call it before the next backward. */
  zeroGrad(): void {
    this.storage.clearGradient();
  }

  /** Frees the memory now. Only for persistent tensors; the others go with their scope. */
  free(): void {
    this.storage.free("it was freed by hand");
    this.context.release(this.storage);
  }
}
