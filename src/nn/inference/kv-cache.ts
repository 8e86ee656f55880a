/**
 * The keys and values of positions already seen. In a causal model they never change again, so generating one
 * token costs the work of one position instead of all of them.
 *
 * Each row of the batch has a length of its own: padding is never stored, so that unequal prompts stand side by side.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ShapeError, TensorError } from "../../errors.ts";
import { stridesOf } from "../../shape.ts";
import { lengthsOf, type Padding, positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";
import { TokenStep } from "./captured-decode.ts";

/** Keys and values of one layer, (B, S, C) each. */
export interface LayerKeysAndValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

export interface CacheSizes {
  readonly batchSize: number;
  readonly capacity: number;
  readonly channels: number;
  readonly layers: number;
}

export class KVCache {
  /** How many positions fit into a row: the model's context length. */
  readonly capacity: number;
  readonly #context: Context;
  readonly #sizes: CacheSizes;
  /** (B, capacity, C) each, of which the first `lengths[b]` positions of row b are filled. */
  #layers: readonly LayerKeysAndValues[];
  #lengths: number[];
  #lastIds: (number | undefined)[];
  #step: TokenStep | null = null;
  #isStepOpen = false;

  constructor(context: Context, sizes: CacheSizes) {
    this.capacity = sizes.capacity;
    this.#context = context;
    this.#sizes = sizes;
    this.#layers = this.#hold(sizes.batchSize);
    this.#lengths = new Array<number>(sizes.batchSize).fill(0);
    this.#lastIds = new Array<undefined>(sizes.batchSize).fill(undefined);
  }

  get batchSize(): number {
    return this.#lengths.length;
  }

  /** Positions filled so far, row by row. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /** Positions that the longest row has filled so far. */
  get length(): number {
    return this.#lengths.reduce((longest, length) => Math.max(longest, length), 0);
  }

  /** The newest token of each row; undefined where nothing is cached. */
  get lastIds(): readonly (number | undefined)[] {
    return this.#lastIds;
  }

  /** Positions that the longest row will have filled once a pass over T positions has been appended. */
  lengthAfter(positions: number, padding?: Padding): number {
    if (padding === undefined) return this.length + positions;
    const own = lengthsOf(padding);
    return this.#lengths.reduce((longest, length, b) => Math.max(longest, length + own[b]), 0);
  }

  /**
   * Takes one position of each row through the blocks, which append to this cache: see token-step.ts.
   *
   * @param x (B, 1, C)
   * @returns (B, 1, C), until the next step
   */
  step(x: Tensor, blocks: (x: Tensor) => Tensor): Tensor {
    this.#step ??= new TokenStep(this.#context, { ...this.#sizes, batchSize: this.batchSize });
    this.#isStepOpen = true;
    try {
      return this.#step.run(x, this.#lengths, blocks);
    } finally {
      this.#isStepOpen = false;
    }
  }

  /** The step that a pass is, while it runs; null in a pass over more than one position. */
  get openStep(): TokenStep | null {
    return this.#isStepOpen ? this.#step : null;
  }

  /**
   * Writes the keys and values of new positions behind those that are filled. The lengths grow only with `advance`,
   * when every layer has written.
   *
   * @param own     (B, T, C) each
   * @param padding where in T the tokens of each row stand; nothing else is stored
   * @returns       the layer's cache, (B, capacity, C) each
   * @throws ShapeError when they do not fit
   * @throws TensorError when they need a gradient, which a copy in the cache would lose
   */
  append(layer: number, own: LayerKeysAndValues, padding?: Padding): LayerKeysAndValues {
    const { keys, values } = own;
    if (keys.needsGradient || values.needsGradient) {
      throw new TensorError('cache: gradients do not pass through a cache; run it in a "no-grad" scope');
    }
    const [batchSize, positions] = keys.shape;
    if (batchSize !== this.batchSize || this.lengthAfter(positions, padding) > this.capacity) {
      throw new ShapeError(
        `cache: holds ${this.batchSize} rows of ${this.capacity} positions, ${this.length} filled: got ${batchSize} rows of ${positions} more`,
      );
    }
    const cache = this.#layers[layer];
    this.#write(cache.keys, keys, padding);
    this.#write(cache.values, values, padding);
    return cache;
  }

  /** Counts the tokens whose positions every layer has written. */
  advance(tokens: TokenBatch): void {
    const positions = positionsOf(tokens);
    const { starts, ends } = rowsOf(tokens);
    ends.forEach((end, b) => {
      if (end === starts[b]) return;
      this.#lengths[b] += end - starts[b];
      this.#lastIds[b] = tokens.ids[b * positions + end - 1];
    });
  }

  /**
   * Makes row i a copy of what row rows[i] holds. So beams branch, a prompt read once is continued many times, and
   * rows that are done leave.
   *
   * @param rows any number of them, in any order; each in 0 … batchSize−1
   * @throws ShapeError when there is no such row
   */
  select(rows: readonly number[]): void {
    const wrong = rows.find((row) => !Number.isInteger(row) || row < 0 || row >= this.batchSize);
    if (wrong !== undefined) {
      throw new ShapeError(`cache: has rows 0 … ${this.batchSize - 1}: got ${wrong} to select`);
    }
    if (rows.length === this.batchSize && rows.every((row, i) => row === i)) return;
    const selected = this.#hold(rows.length);
    this.#layers.forEach((layer, i) => {
      this.#copyRows(selected[i].keys, layer.keys, rows);
      this.#copyRows(selected[i].values, layer.values, rows);
    });
    this.free();
    this.#layers = selected;
    this.#lengths = rows.map((row) => this.#lengths[row]);
    this.#lastIds = rows.map((row) => this.#lastIds[row]);
  }

  /** Forgets every position of one row and keeps its memory. */
  clearRow(row: number): void {
    this.#lengths[row] = 0;
    this.#lastIds[row] = undefined;
  }

  /** Forgets every position and keeps the memory. */
  clear(): void {
    for (let row = 0; row < this.batchSize; row++) this.clearRow(row);
  }

  /** Gives the memory back. */
  free(): void {
    this.#step?.free();
    this.#step = null;
    for (const { keys, values } of this.#layers) {
      keys.free();
      values.free();
    }
  }

  #hold(batchSize: number): LayerKeysAndValues[] {
    const shape = [batchSize, this.#sizes.capacity, this.#sizes.channels];
    // Zeros, not whatever memory held: textbook attention multiplies what is not filled yet by a weight of 0.
    const empty = () => {
      const tensor = this.#context.persistent(shape);
      this.#context.backend.fill(tensor.buffer, 0);
      return tensor;
    };
    return Array.from({ length: this.#sizes.layers }, () => ({ keys: empty(), values: empty() }));
  }

  #write(cache: Tensor, own: Tensor, padding: Padding | undefined): void {
    const [batchSize, positions, channels] = own.shape;
    const step = this.openStep;
    if (step !== null) {
      this.#context.backend.scatterRows(cache.buffer, own.buffer, step.slots.buffer, batchSize, channels);
      return;
    }
    const even = this.#lengths.every((length) => length === this.#lengths[0]);
    const { backend } = this.#context;
    const to = stridesOf(cache.shape);
    const from = stridesOf(own.shape);
    if (padding === undefined && even) {
      const dst = { buffer: cache.buffer, offset: (this.#lengths[0] ?? 0) * channels, strides: to };
      backend.copy(dst, { buffer: own.buffer, offset: 0, strides: from }, own.shape, false);
      return;
    }
    for (let b = 0; b < batchSize; b++) {
      const start = padding?.starts[b] ?? 0;
      const count = (padding?.ends[b] ?? positions) - start;
      const dst = { buffer: cache.buffer, offset: b * to[0] + this.#lengths[b] * channels, strides: [1] };
      const src = { buffer: own.buffer, offset: b * from[0] + start * channels, strides: [1] };
      backend.copy(dst, src, [count * channels], false);
    }
  }

  #copyRows(to: Tensor, from: Tensor, rows: readonly number[]): void {
    const [rowSize] = stridesOf(from.shape);
    const { channels } = this.#sizes;
    rows.forEach((row, i) => {
      const dst = { buffer: to.buffer, offset: i * rowSize, strides: [1] };
      const src = { buffer: from.buffer, offset: row * rowSize, strides: [1] };
      this.#context.backend.copy(dst, src, [this.#lengths[row] * channels], false);
    });
  }
}
