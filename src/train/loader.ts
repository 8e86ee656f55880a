/**
 * Batches of windows over a corpus of token ids. The targets of a window are its inputs moved on by one: at every
 * position the model is asked for the next token, whatever it said before (teacher forcing).
 */
import { DataError } from "../errors.ts";
import { EpochWindows, RandomWindows, type WindowOrder, type WindowOrderName } from "./window-order.ts";

/** In messages. */
const SHOWN_STARTS = 16;

/** A corpus as token ids. */
export type TokenIds = Int32Array | Uint16Array;

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

export interface Windows extends WindowSize {
  readonly seed: number;
  /** Default: random. */
  readonly windows?: WindowOrderName;
  /** Batches of one step. Default: 1. */
  readonly gradAccumulation?: number;
}

/** Windows in an order that (seed, step, microStep) alone decide: see `WindowOrder`. */
export class WindowLoader {
  readonly #ids: TokenIds;
  readonly #contextLength: number;
  readonly #order: WindowOrder;

  /** @throws DataError when no window fits */
  constructor(ids: TokenIds, size: Windows) {
    checkWindowSize(size);
    const needed = size.contextLength + 1;
    if (ids.length < needed) {
      throw new DataError(
        `windows: contextLength ${size.contextLength} needs at least ${needed} tokens: got ${ids.length}`,
      );
    }
    const { contextLength, batchSize, seed, windows = "random", gradAccumulation = 1 } = size;
    const Order = windows === "epochs" ? EpochWindows : RandomWindows;
    this.#ids = ids;
    this.#contextLength = contextLength;
    this.#order = new Order({ tokens: ids.length, contextLength, batchSize, gradAccumulation }, seed);
  }

  /**
   * @param step      the update that the batch is for
   * @param microStep which of the batches whose gradients that update adds up
   */
  batch(step: number, microStep = 0): Batch {
    return windowsAt(this.#ids, this.#order.starts(step, microStep), this.#contextLength);
  }

  /** Where the windows of that batch stand, for messages. */
  batchInWords(step: number, microStep = 0): string {
    const starts = this.#order.starts(step, microStep);
    const shown = starts.slice(0, SHOWN_STARTS).join(", ") + (starts.length > SHOWN_STARTS ? ", …" : "");
    return `windows of ${this.#contextLength} tokens from tokens ${shown} of the training split`;
  }
}

/**
 * Batches that predict every id of [start, end) exactly once, in order, in windows that share no target. The first
 * input is the id before `start`, where there is one: id 0 of a corpus has nothing before it and is not predicted.
 * A window shorter than contextLength comes last, in a batch of its own.
 */
export function* disjointWindows(
  ids: TokenIds,
  start: number,
  end: number,
  size: WindowSize,
): Generator<Batch> {
  checkWindowSize(size);
  const { contextLength, batchSize } = size;
  if (
    !(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= ids.length)
  ) {
    throw new DataError(`windows: expected 0 ≤ start ≤ end ≤ ${ids.length}: got ${start} and ${end}`);
  }
  const first = Math.max(start, 1) - 1;
  const full = Math.max(0, Math.floor((end - 1 - first) / contextLength));
  for (let done = 0; done < full; done += batchSize) {
    const count = Math.min(batchSize, full - done);
    const starts = Array.from({ length: count }, (_, row) => first + (done + row) * contextLength);
    yield windowsAt(ids, starts, contextLength);
  }
  const rest = first + full * contextLength;
  if (rest < end - 1) yield windowsAt(ids, [rest], end - 1 - rest);
}

/** The windows of `length` inputs that begin at `starts`. */
function windowsAt(ids: TokenIds, starts: readonly number[], length: number): Batch {
  const inputs = new Int32Array(starts.length * length);
  const targets = new Int32Array(starts.length * length);
  starts.forEach((start, row) => {
    for (let t = 0; t < length; t++) {
      inputs[row * length + t] = ids[start + t];
      targets[row * length + t] = ids[start + t + 1];
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
