/**
 * Batches of windows over the token ids of a corpus. A window's targets are its inputs shifted by one: at every
 * position the model predicts the next token, given the true tokens before it (teacher forcing).
 */

import { WINDOW_ORDERS, type WindowOrderName } from "../config/choices.ts";
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import { sourceOf, type TokenIds, type TokenSource } from "./token-source.ts";
import { EpochWindows, RandomWindows, type WindowOrder } from "./window-order.ts";

/** The number of window offsets to show in messages. */
const SHOWN_STARTS = 16;
/** Fixed, so that all models and checkpoints are measured on the same windows. */
const SPREAD_SEED = 1;

/** `batchSize` windows of one length, row by row. */
export interface Batch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly batchSize: number;
}

export interface WindowSize {
  readonly contextLength: number;
  readonly batchSize: number;
}

export interface WindowConfig extends WindowSize {
  readonly seed: number;
  /** Default: random. */
  readonly windows?: WindowOrderName;
  /** Batches per step. Default: 1. */
  readonly gradAccumulation?: number;
}

/** What the loaders share: the windows of a batch depend on (seed, step, microStep) alone; see `WindowOrder`. */
abstract class Loader {
  protected readonly ids: TokenSource;
  protected readonly order: WindowOrder;
  protected readonly contextLength: number;

  /** @param targetsAfter tokens after a window that its last target needs */
  constructor(ids: TokenIds, size: WindowConfig, targetsAfter: 0 | 1) {
    checkWindows(ids, size);
    this.ids = sourceOf(ids);
    this.contextLength = size.contextLength;
    this.order = orderOf(size, ids.length - targetsAfter, ids.length);
  }

  /** The positions of that batch's windows, for messages. */
  describeBatch(step: number, microStep = 0): string {
    return describeWindows(this.order.starts(step, microStep), this.contextLength);
  }
}

/** Loads windows and the tokens after them. The last token of the corpus has no next one, so it is never an input. */
export class WindowLoader extends Loader {
  /** @throws DataError if the corpus is shorter than a window and its last target */
  constructor(ids: TokenIds, size: WindowConfig) {
    super(ids, size, 1);
  }

  /**
   * @param step      the index of the update
   * @param microStep the index of the batch within that update (gradient accumulation)
   */
  batch(step: number, microStep = 0): Batch {
    return windowsAt(this.ids, this.order.starts(step, microStep), this.contextLength);
  }
}

/** Loads windows without targets, so that the last token of the corpus is in a window too. */
export class TextLoader extends Loader {
  /** @throws DataError if the corpus is shorter than a window */
  constructor(ids: TokenIds, size: WindowConfig) {
    super(ids, size, 0);
  }

  /** `batchSize` windows, row by row. The arguments are those of `WindowLoader.batch`. */
  windows(step: number, microStep = 0): Int32Array {
    const starts = this.order.starts(step, microStep);
    const length = this.contextLength;
    const windows = new Int32Array(starts.length * length);
    starts.forEach((start, row) => {
      this.ids.read(start, windows.subarray(row * length, (row + 1) * length));
    });
    return windows;
  }
}

/**
 * @param inputs the number of tokens that can be an input
 * @param tokens the length of the corpus
 */
function orderOf(size: WindowConfig, inputs: number, tokens: number): WindowOrder {
  checkWindowSize(size);
  const { contextLength, batchSize, seed, windows = "random", gradAccumulation = 1 } = size;
  if (inputs < contextLength) {
    const needed = contextLength + tokens - inputs;
    throw new DataError(
      `windows: contextLength ${contextLength} needs at least ${needed} tokens: got ${tokens}`,
    );
  }
  const Order = windows === "epochs" ? EpochWindows : RandomWindows;
  return new Order({ inputs, contextLength, batchSize, gradAccumulation }, seed);
}

function describeWindows(starts: readonly number[], contextLength: number): string {
  const shown = starts.slice(0, SHOWN_STARTS).join(", ") + (starts.length > SHOWN_STARTS ? ", …" : "");
  return `windows of ${contextLength} tokens from tokens ${shown} of the training split`;
}

/**
 * Batches that predict every id of [start, end) exactly once, in order, in windows with disjoint targets. The first
 * input is the id before `start`. Id 0 of a corpus has no token before it, so it is not predicted. The last window may
 * be shorter than contextLength; it is then a separate batch.
 */
export function* disjointWindows(
  ids: TokenIds,
  start: number,
  end: number,
  size: WindowSize,
): Generator<Batch> {
  checkWindowSize(size);
  checkRange(ids, start, end);
  const { contextLength, batchSize } = size;
  const source = sourceOf(ids);
  const first = firstInput(start);
  const full = fullWindows(start, end, contextLength);
  for (let done = 0; done < full; done += batchSize) {
    const count = Math.min(batchSize, full - done);
    const starts = Array.from({ length: count }, (_, row) => first + (done + row) * contextLength);
    yield windowsAt(source, starts, contextLength);
  }
  const rest = first + full * contextLength;
  if (rest < end - 1) yield windowsAt(source, [rest], end - 1 - rest);
}

/**
 * Like `disjointWindows`, but with about `most` predicted ids at most. A longer range is cut into equal strata, and one
 * full window is drawn from each. The draw uses a fixed seed, so the windows are always the same.
 */
export function* stratifiedWindows(
  ids: TokenIds,
  start: number,
  end: number,
  size: WindowSize,
  most: number,
): Generator<Batch> {
  const { contextLength, batchSize } = size;
  const full = fullWindows(start, end, contextLength);
  if (full === 0 || end - 1 - firstInput(start) <= most) {
    yield* disjointWindows(ids, start, end, size);
    return;
  }
  checkWindowSize(size);
  checkRange(ids, start, end);
  const source = sourceOf(ids);
  const random = Random.of(SPREAD_SEED, "spread windows");
  const chosen = Math.min(full, Math.max(1, Math.floor(most / contextLength)));
  for (let done = 0; done < chosen; done += batchSize) {
    const count = Math.min(batchSize, chosen - done);
    const starts = Array.from({ length: count }, (_, row) => {
      const [from, to] = [done + row, done + row + 1].map((i) => Math.floor((i * full) / chosen));
      return firstInput(start) + (from + random.below(to - from)) * contextLength;
    });
    yield windowsAt(source, starts, contextLength);
  }
}

/** The index of the first id that is an input. */
function firstInput(start: number): number {
  return Math.max(start, 1) - 1;
}

function fullWindows(start: number, end: number, contextLength: number): number {
  return Math.max(0, Math.floor((end - 1 - firstInput(start)) / contextLength));
}

function checkRange(ids: TokenIds, start: number, end: number): void {
  if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= ids.length)
    return;
  throw new DataError(`windows: expected 0 ≤ start ≤ end ≤ ${ids.length}: got ${start} and ${end}`);
}

/** The windows of `length` inputs at the offsets `starts`. */
function windowsAt(ids: TokenSource, starts: readonly number[], length: number): Batch {
  const count = starts.length * length;
  const inputs = new Int32Array(count);
  const targets = new Int32Array(count);
  const window = new Int32Array(length + 1);
  starts.forEach((start, row) => {
    ids.read(start, window);
    for (let t = 0; t < length; t++) {
      inputs[row * length + t] = window[t];
      targets[row * length + t] = window[t + 1];
    }
  });
  return { inputs, targets, batchSize: starts.length };
}

function checkWindowSize({ contextLength, batchSize }: WindowSize): void {
  if (!Number.isSafeInteger(contextLength) || contextLength < 1) {
    throw new DataError(`windows: contextLength must be a whole number ≥ 1: got ${contextLength}`);
  }
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new DataError(`windows: batchSize must be a whole number ≥ 1: got ${batchSize}`);
  }
}

function checkWindows(ids: TokenIds, size: WindowConfig): void {
  checkTypes("windows", { ids, size }, { ids: ["length"], size: "object" });
  const { seed, windows = "random", gradAccumulation = 1 } = size;
  checkTypes("windows", { seed, gradAccumulation }, { seed: "number", gradAccumulation: "number" });
  checkChoice("windows", windows, WINDOW_ORDERS);
}
