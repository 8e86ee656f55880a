/**
 * The keys and values of positions already seen. In a causal model they never change again, so generating one
 * token costs the work of one position instead of all of them.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { stridesOf } from "../shape.ts";

/** One layer's part: keys and values (B, capacity, C), of which the first `count` positions are filled. */
export interface LayerCache {
  readonly keys: Tensor;
  readonly values: Tensor;
}

export class KeyValueCache {
  readonly batchSize: number;
  /** How many positions fit: the model's context length. */
  readonly capacity: number;
  readonly #layers: readonly LayerCache[];
  #length = 0;
  #lastIds: readonly number[] | null = null;

  constructor(
    context: Context,
    sizes: {
      readonly batchSize: number;
      readonly capacity: number;
      readonly channels: number;
      readonly layers: number;
    },
  ) {
    const { batchSize, capacity, channels, layers } = sizes;
    const shape = [batchSize, capacity, channels];
    this.batchSize = batchSize;
    this.capacity = capacity;
    this.#layers = Array.from({ length: layers }, () => ({
      keys: context.hold(shape),
      values: context.hold(shape),
    }));
  }

  /** Positions filled so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Writes the keys and values of new positions behind those that are filled. The length grows only with
   * `advance`, when every layer has written.
   *
   * @param keys   (B, T, C)
   * @param values (B, T, C)
   * @returns      the layer's cache, of which `length` + T positions now count
   * @throws ShapeError when they do not fit
   * @throws TensorError when they need a gradient, which a copy in the cache would lose
   */
  append(layer: number, keys: Tensor, values: Tensor): LayerCache {
    if (keys.needsGradient || values.needsGradient) {
      throw new TensorError('cache: gradients do not pass through a cache; run it in a "forget" scope');
    }
    const [batchSize, positions] = keys.shape;
    if (batchSize !== this.batchSize || this.#length + positions > this.capacity) {
      throw new ShapeError(
        `cache: holds ${this.batchSize} rows of ${this.capacity} positions, ${this.#length} filled: got ${batchSize} rows of ${positions} more`,
      );
    }
    const cache = this.#layers[layer];
    this.#write(cache.keys, keys);
    this.#write(cache.values, values);
    return cache;
  }

  /**
   * Counts positions that every layer has written.
   *
   * @param ids the tokens (B, positions) that stand there
   */
  advance(positions: number, ids: ArrayLike<number>): void {
    this.#length += positions;
    if (positions === 0) return;
    this.#lastIds = Array.from({ length: this.batchSize }, (_, row) => ids[(row + 1) * positions - 1]);
  }

  /** The newest token of each row; null while nothing is cached. */
  get lastIds(): readonly number[] | null {
    return this.#lastIds;
  }

  /** Forgets every position and keeps the memory. */
  clear(): void {
    this.#length = 0;
    this.#lastIds = null;
  }

  /** Gives the memory back. */
  free(): void {
    for (const { keys, values } of this.#layers) {
      keys.free();
      values.free();
    }
  }

  #write(cache: Tensor, rows: Tensor): void {
    const strides = stridesOf(cache.shape);
    const offset = this.#length * strides[1];
    const src = { span: rows.span, offset: 0, strides: stridesOf(rows.shape) };
    cache.context.backend.copy({ span: cache.span, offset, strides }, src, rows.shape, false);
  }
}
