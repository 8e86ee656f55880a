/**
 * The keys and values of earlier positions. In a causal model they never change, so generating a token takes the work
 * of one position instead of all.
 *
 * Each sequence of the batch has its own length, and padding is not stored, so prompts of different lengths can be
 * decoded side by side.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ShapeError, TensorError } from "../../errors.ts";
import { stridesOf } from "../../shape.ts";
import type { KeysAndValues } from "../inputs/forward-options.ts";
import { lengthsOf, positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";
import type { CapturedDecode } from "./captured-decode.ts";

export interface CacheSizes {
  readonly batchSize: number;
  readonly capacity: number;
  /** Channels of the keys of a position, and those of its values (H_kv·D). */
  readonly channels: number;
  readonly layers: number;
}

/** The cached keys and values of one sequence, as numbers. */
export interface CachedSequence {
  /** (length, H_kv·D), row by row; channels h·D … (h+1)·D−1 belong to head h. */
  readonly keys: Float32Array | Float64Array;
  /** The same for values. */
  readonly values: Float32Array | Float64Array;
}

/** Some rows of a (B, capacity, H_kv·D) tensor. */
interface Rows {
  readonly tensor: Tensor;
  readonly rows: readonly number[];
}

export class KVCache {
  /** The maximum number of positions per sequence: by default the model's context length. */
  readonly capacity: number;
  /** The captured decoding step. Valid as long as the cache keeps its memory; see captured-decode.ts. */
  captured: CapturedDecode | null = null;
  readonly #context: Context;
  readonly #sizes: CacheSizes;
  /** (B, capacity, H_kv·D) each; the first `lengths[b]` positions of sequence b are filled. */
  #layers: readonly KeysAndValues[];
  #lengths: number[];
  #lastIds: (number | undefined)[];

  constructor(context: Context, sizes: CacheSizes) {
    this.capacity = sizes.capacity;
    this.#context = context;
    this.#sizes = sizes;
    this.#layers = this.#allocate(sizes.batchSize);
    this.#lengths = new Array<number>(sizes.batchSize).fill(0);
    this.#lastIds = new Array<undefined>(sizes.batchSize).fill(undefined);
  }

  get batchSize(): number {
    return this.#lengths.length;
  }

  /** The number of cached positions of each sequence. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /** The number of cached positions of the longest sequence. */
  get length(): number {
    return this.#lengths.reduce((longest, length) => Math.max(longest, length), 0);
  }

  /** The last token of each sequence; undefined if it is empty. */
  get lastIds(): readonly (number | undefined)[] {
    return this.#lastIds;
  }

  /**
   * Copies of the keys and values that a layer has cached, for a look inside.
   *
   * @returns one entry for each sequence of the batch
   * @throws ShapeError if there is no such layer
   * @example
   *   model.decode({ ids: tokenizer.encode("One day"), batchSize: 1 }, cache);
   *   const [{ keys }] = await cache.keysAndValues(0); // 7·H_kv·D numbers
   */
  async keysAndValues(layer: number): Promise<CachedSequence[]> {
    if (!Number.isInteger(layer) || layer < 0 || layer >= this.#layers.length) {
      throw new ShapeError(`cache: has layers 0 … ${this.#layers.length - 1}: got ${layer}`);
    }
    const cached = this.#layers[layer];
    const lengths = [...this.#lengths];
    const [keys, values] = await Promise.all([cached.keys.read(), cached.values.read()]);
    const [rowSize] = stridesOf(cached.keys.shape);
    return lengths.map((length, b) => {
      const [start, end] = [b * rowSize, b * rowSize + length * this.#sizes.channels];
      return { keys: keys.slice(start, end), values: values.slice(start, end) };
    });
  }

  /** The value of `length` after these tokens are appended. */
  lengthAfter(tokens: TokenBatch): number {
    const added = lengthsOf(rowsOf(tokens));
    return this.#lengths.reduce((longest, length, b) => Math.max(longest, length + added[b]), 0);
  }

  /** @throws ShapeError if the batch size differs, or the tokens do not fit */
  checkRoom(tokens: TokenBatch): void {
    if (tokens.batchSize === this.batchSize && this.lengthAfter(tokens) <= this.capacity) return;
    throw new ShapeError(
      `cache: holds ${this.batchSize} rows of ${this.capacity} positions, ${this.length} filled: got ${tokens.batchSize} rows of ${positionsOf(tokens)} more`,
    );
  }

  /**
   * Stores the keys and values of new positions. The lengths change only with `advance`, after every layer has written.
   *
   * @param own   (B, T, H_kv·D) each
   * @param slots for each of the B·T positions, the cache row b·capacity + position, or −1 for none
   * @returns     the layer's keys and values, (B, capacity, H_kv·D) each
   * @throws TensorError if keys or values need a gradient, which a cache cannot propagate
   */
  write(layer: number, { keys, values }: KeysAndValues, slots: Int32Array): KeysAndValues {
    if (keys.needsGradient || values.needsGradient) {
      throw new TensorError("cache: gradients do not pass through a cache; use it in a no-grad scope");
    }
    const cached = this.#layers[layer];
    const { backend } = this.#context;
    const { channels } = this.#sizes;
    backend.scatterRows(cached.keys.buffer, keys.buffer, slots, slots.length, channels);
    backend.scatterRows(cached.values.buffer, values.buffer, slots, slots.length, channels);
    return cached;
  }

  /** Adds the tokens to the lengths, after every layer has written their keys and values. */
  advance(tokens: TokenBatch): void {
    const width = positionsOf(tokens);
    const { starts, ends } = rowsOf(tokens);
    ends.forEach((end, b) => {
      if (end === starts[b]) return;
      this.#lengths[b] += end - starts[b];
      this.#lastIds[b] = tokens.ids[b * width + end - 1];
    });
  }

  /**
   * Makes sequence i a copy of sequence rows[i]: to branch beams, to continue a prompt several times, or to drop
   * finished sequences.
   *
   * @param rows any number of rows in 0 … batchSize−1, in any order
   * @throws ShapeError if a row does not exist
   */
  select(rows: readonly number[]): void {
    const wrong = rows.find((row) => !Number.isInteger(row) || row < 0 || row >= this.batchSize);
    if (wrong !== undefined) {
      throw new ShapeError(`cache: has rows 0 … ${this.batchSize - 1}: got ${wrong} to select`);
    }
    if (rows.length === this.batchSize) this.#moveRows(rows);
    else {
      const selected = this.#allocate(rows.length);
      const places = [...rows.keys()];
      this.#layers.forEach((layer, i) => {
        for (const name of ["keys", "values"] as const)
          this.#copyRows({ tensor: selected[i][name], rows: places }, { tensor: layer[name], rows }, rows);
      });
      this.free();
      this.#layers = selected;
    }
    this.#lengths = rows.map((row) => this.#lengths[row]);
    this.#lastIds = rows.map((row) => this.#lastIds[row]);
  }

  /** Empties one sequence without freeing memory. */
  clearRow(row: number): void {
    this.#lengths[row] = 0;
    this.#lastIds[row] = undefined;
  }

  /** Empties all sequences without freeing memory. */
  clear(): void {
    for (let row = 0; row < this.batchSize; row++) this.clearRow(row);
  }

  /** Frees the memory. */
  free(): void {
    this.captured?.free();
    this.captured = null;
    for (const { keys, values } of this.#layers) {
      keys.free();
      values.free();
    }
  }

  #allocate(batchSize: number): KeysAndValues[] {
    const shape = [batchSize, this.#sizes.capacity, this.#sizes.channels];
    // Zeros, because textbook attention multiplies unused positions by a weight of 0, and 0·NaN is NaN.
    const empty = () => {
      const tensor = this.#context.persistent(shape);
      this.#context.backend.fill(tensor.buffer, 0);
      return tensor;
    };
    return Array.from({ length: this.#sizes.layers }, () => ({ keys: empty(), values: empty() }));
  }

  /** Selects rows in place, so that a captured step, which refers to this memory, stays valid. */
  #moveRows(rows: readonly number[]): void {
    const moved = [...rows.keys()].filter((i) => rows[i] !== i);
    if (moved.length === 0) return;
    const sources = moved.map((i) => rows[i]);
    const places = [...moved.keys()];
    const aside = this.#context.persistent([moved.length, this.capacity, this.#sizes.channels]);
    for (const { keys, values } of this.#layers) {
      for (const tensor of [keys, values]) {
        const kept = { tensor: aside, rows: places };
        this.#copyRows(kept, { tensor, rows: sources }, sources);
        this.#copyRows({ tensor, rows: moved }, kept, sources);
      }
    }
    aside.free();
  }

  /** Copies rows to others: as many positions as the sequences `of` have. */
  #copyRows(to: Rows, from: Rows, of: readonly number[]): void {
    const [rowSize] = stridesOf(from.tensor.shape);
    const { channels } = this.#sizes;
    of.forEach((sequence, i) => {
      const dst = { buffer: to.tensor.buffer, offset: to.rows[i] * rowSize, strides: [1] };
      const src = { buffer: from.tensor.buffer, offset: from.rows[i] * rowSize, strides: [1] };
      this.#context.backend.copy(dst, src, [this.#lengths[sequence] * channels], false);
    });
  }
}
