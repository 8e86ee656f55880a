/**
 * A tensor is a shape over a storage. Ops create tensors, a `Context` owns them, and backward computes their gradients.
 */
import type { Buffer, WriteTarget } from "../backend/backend.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";
import type { Context } from "./context.ts";
import type { Storage } from "./storage.ts";

/**
 * An n-dimensional array in a backend's memory. Create one with `context.parameter` or `context.constant`, or by an op.
 *
 * @example
 *   const w = context.parameter([2], [1, 2]); // w.shape is [2], w.size is 2
 *   await w.read(); // [1, 2]
 */
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

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get needsGradient(): boolean {
    return this.storage.needsGradient;
  }

  /**
   * For kernels: the numbers.
   *
   * @throws TensorError if the tensor was freed
   */
  get buffer(): Buffer {
    return this.storage.value;
  }

  /** For kernels that write the whole tensor. */
  get target(): WriteTarget {
    return { buffer: this.buffer, accumulate: false };
  }

  /** The gradient so far, or null if there is none yet. */
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

  /**
   * The same numbers with another shape. Shares storage and gradient.
   *
   * @throws ShapeError if it has another size
   */
  view(shape: Shape): Tensor {
    checkShape("view", shape);
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError(
        `view: ${formatShape(this.shape)} holds ${this.size} numbers, which do not fill ${formatShape(shape)}`,
      );
    }
    return new Tensor(shape, this.storage);
  }

  /** A copy of the numbers, in row-major order. */
  read(): Promise<Float32Array | Float64Array> {
    return this.context.backend.read(this.buffer);
  }

  /**
   * The value of a tensor with one element.
   *
   * @throws TensorError if it has more
   * @example await loss.item()
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TensorError(`item: needs a tensor with one element: got ${formatShape(this.shape)}`);
    }
    return (await this.read())[0];
  }

  /**
   * Overwrites elements, in row-major order, starting at index `at`.
   *
   * @throws ShapeError if they do not fit
   * @example weight.write([1, 2, 3])
   */
  write(values: ArrayLike<number>, at = 0): void {
    checkTypes("write", { values, at }, { values: "numbers", at: "number" });
    if (!Number.isInteger(at) || at < 0 || at + values.length > this.size) {
      throw new ShapeError(
        `write: ${formatShape(this.shape)} holds ${this.size} numbers: got ${values.length} at index ${at}`,
      );
    }
    this.context.backend.write(this.buffer, values, at);
  }

  /**
   * Computes the gradient of this single number with respect to every tensor that it depends on. Gradients of parameters
   * accumulate until `zeroGrad`.
   *
   * @throws TensorError if this is not a single number, depends on no parameter, or was differentiated before
   * @example loss.backward()
   */
  backward(): void {
    this.context.backward(this);
  }

  /**
   * A copy of the gradient, in row-major order; zeros if there is none yet.
   *
   * @example await weight.grad()
   */
  grad(): Promise<Float32Array | Float64Array> {
    const { gradient } = this;
    return this.context.backend.read(gradient ?? this.storage.zeroedGradient());
  }

  /** Resets the gradient to zero. Call it before the next backward pass. */
  zeroGrad(): void {
    this.storage.clearGradient();
  }

  /** Frees the memory now. Only for persistent tensors; others are freed with their scope. */
  free(): void {
    this.storage.free("free was called on it");
    this.context.release(this.storage);
  }
}
