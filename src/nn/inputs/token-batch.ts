/**
 * Batches of token sequences of one length, or padded to one.
 *
 * Padding never affects results. Positions count from a row's first token, no query sees padding, and padding enters no
 * cache. So a sequence has the same results alone and in any padded batch, bit for bit.
 */

import { ShapeError } from "../../errors.ts";
import { checkChoice, checkTypes } from "../../util/check-types.ts";

/** Token sequences (B, T), row by row. */
export interface TokenBatch {
  readonly ids: ArrayLike<number>;
  readonly batchSize: number;
  /** Omitted if every row is full. */
  readonly padding?: Padding;
}

/** The tokens of row b are at starts[b] … ends[b]−1; the rest of the row is padding. */
export interface Padding {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Which end of the shorter rows is padded. */
export type PaddingSide = "left" | "right";

/** The id at padding positions. Any id would do, because no query sees it. */
const PADDING_ID = 0;

/**
 * Pads sequences of any lengths to that of the longest.
 *
 * @param rows sequences, possibly empty
 * @example padTokens([[3, 1, 4], [1, 5]], "left") // ids 3 1 4 0 1 5, padding starts 0 1, ends 3 3
 */
export function padTokens(rows: readonly ArrayLike<number>[], side: PaddingSide): TokenBatch {
  checkTypes("padTokens", { rows }, { rows: "array" });
  for (const row of rows) checkTypes("padTokens", { row }, { row: "numbers" });
  checkChoice("side", side, ["left", "right"]);
  const positions = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const starts = rows.map((row) => (side === "left" ? positions - row.length : 0));
  const ids = new Int32Array(rows.length * positions).fill(PADDING_ID);
  rows.forEach((row, b) => {
    ids.set(Array.from(row), b * positions + starts[b]);
  });
  const padding = { starts, ends: rows.map((row, b) => starts[b] + row.length) };
  return { ids, batchSize: rows.length, ...(isFull(padding, positions) ? {} : { padding }) };
}

/**
 * Lays out values like a padded batch of tokens, for example its targets: row b has `values[b]` at its tokens and
 * `filler` elsewhere.
 *
 * @throws ShapeError if a row does not have one value per token
 */
export function padLike(
  tokens: TokenBatch,
  values: readonly ArrayLike<number>[],
  filler: number,
): Int32Array {
  const { starts, ends } = rowsOf(tokens);
  const padded = new Int32Array(tokens.ids.length).fill(filler);
  const positions = positionsOf(tokens);
  values.forEach((row, b) => {
    if (row.length !== ends[b] - starts[b]) {
      throw new ShapeError(`padding: row ${b} has ${ends[b] - starts[b]} tokens: got ${row.length} values`);
    }
    padded.set(Array.from(row), b * positions + starts[b]);
  });
  return padded;
}

/** The number of positions per row, padding included (T). */
export function positionsOf({ ids, batchSize }: TokenBatch): number {
  return ids.length / batchSize;
}

/** Where each row's tokens are, with or without padding. */
export function rowsOf(tokens: TokenBatch): Padding {
  const { batchSize, padding } = tokens;
  if (padding !== undefined) return padding;
  return {
    starts: new Array<number>(batchSize).fill(0),
    ends: new Array<number>(batchSize).fill(positionsOf(tokens)),
  };
}

/**
 * The position of each token, counted from the first token of its sequence, in the order of the batch.
 *
 * @param before the number of tokens that each sequence already has; empty for none
 * @param filler the value at padding
 */
export function positionsIn(tokens: TokenBatch, before: readonly number[], filler = 0): Int32Array {
  const width = positionsOf(tokens);
  const { starts, ends } = rowsOf(tokens);
  const positions = new Int32Array(tokens.ids.length).fill(filler);
  for (let b = 0; b < tokens.batchSize; b++) {
    const first = before[b] ?? 0;
    for (let t = starts[b]; t < ends[b]; t++) positions[b * width + t] = first + t - starts[b];
  }
  return positions;
}

/** The number of tokens in each row. */
export function lengthsOf({ starts, ends }: Padding): number[] {
  return ends.map((end, b) => end - starts[b]);
}

/** @throws ShapeError if the ids do not form rows, or the padding does not fit them */
export function checkTokens(tokens: TokenBatch): void {
  const { ids, batchSize, padding } = tokens;
  const positions = positionsOf(tokens);
  if (!Number.isInteger(positions)) {
    throw new ShapeError(`tokens: ${ids.length} ids do not divide into ${batchSize} rows of equal length`);
  }
  if (padding === undefined) return;
  const { starts, ends } = padding;
  if (starts.length !== batchSize || ends.length !== batchSize) {
    throw new ShapeError(
      `padding: needs a start and an end for each of ${batchSize} rows: got ${starts.length} and ${ends.length}`,
    );
  }
  starts.forEach((start, b) => {
    const inOrder = 0 <= start && start <= ends[b] && ends[b] <= positions;
    if (inOrder && Number.isInteger(start) && Number.isInteger(ends[b])) return;
    throw new ShapeError(
      `padding: row ${b} needs whole numbers 0 ≤ start ≤ end ≤ ${positions}: got ${start} and ${ends[b]}`,
    );
  });
}

function isFull({ starts, ends }: Padding, positions: number): boolean {
  return starts.every((start, b) => start === 0 && ends[b] === positions);
}

/**
 * @param model  the name in errors
 * @param cached the number of tokens that each sequence already has; empty for none
 * @throws ShapeError if a sequence would be longer than the context, or the batch is malformed
 */
export function checkSequences(
  model: string,
  tokens: TokenBatch,
  cached: readonly number[],
  contextLength: number,
): void {
  checkTypes(model, { tokens }, { tokens: "object" });
  const { ids, batchSize } = tokens;
  checkTypes(model, { ids, batchSize }, { ids: "numbers", batchSize: "number" });
  const longest = lengthsOf(rowsOf(tokens)).reduce(
    (most, length, b) => Math.max(most, (cached[b] ?? 0) + length),
    0,
  );
  if (!Number.isInteger(positionsOf(tokens)) || longest > contextLength) {
    const before = cached.reduce((most, length) => Math.max(most, length), 0);
    throw new ShapeError(
      `${model}: sequences may have at most ${contextLength} tokens: got ${ids.length} ids in ${batchSize} rows after ${before} cached`,
    );
  }
  checkTokens(tokens);
}
