/**
 * Batches of token sequences, of one length or padded to one.
 *
 * Padding is a matter of layout and never of meaning: a row's positions count from its first own token, nothing sees
 * padding, and padding enters no cache. So a sequence has the same numbers alone and in any padded batch, to the bit.
 */
import { ShapeError } from "../../errors.ts";

/** Token sequences (B, T), row by row. */
export interface TokenBatch {
  readonly ids: ArrayLike<number>;
  readonly batchSize: number;
  /** Left out where every row is full. */
  readonly padding?: Padding;
}

/** Row b's own tokens stand at starts[b] … ends[b]−1; whatever else stands in the row is padding. */
export interface Padding {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Which end of the shorter rows is padded. */
export type PaddingSide = "left" | "right";

/** What stands where no token does. Any id would do: nothing sees it. */
const PADDING_ID = 0;

/**
 * Sequences of unequal lengths as one batch, as long as the longest of them.
 *
 * @param rows any lengths, 0 too
 */
export function padTokens(rows: readonly ArrayLike<number>[], side: PaddingSide): TokenBatch {
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
 * One number for each position of a padded batch, such as targets: `values[b]` where row b's tokens stand, and
 * `filler` elsewhere.
 */
export function padLike(
  tokens: TokenBatch,
  values: readonly ArrayLike<number>[],
  filler: number,
): Int32Array {
  const { starts, ends } = rowsOf(tokens);
  const laid = new Int32Array(tokens.ids.length).fill(filler);
  const positions = positionsOf(tokens);
  values.forEach((row, b) => {
    if (row.length !== ends[b] - starts[b]) {
      throw new ShapeError(
        `padding: row ${b} has ${ends[b] - starts[b]} tokens: got ${row.length} values for them`,
      );
    }
    laid.set(Array.from(row), b * positions + starts[b]);
  });
  return laid;
}

/** How many positions a row has, its padding included (T). */
export function positionsOf({ ids, batchSize }: TokenBatch): number {
  return ids.length / batchSize;
}

/** Where each row's own tokens stand, also in a batch without padding. */
export function rowsOf(tokens: TokenBatch): Padding {
  const { batchSize, padding } = tokens;
  if (padding !== undefined) return padding;
  return {
    starts: new Array<number>(batchSize).fill(0),
    ends: new Array<number>(batchSize).fill(positionsOf(tokens)),
  };
}

/**
 * The position of each token in its sequence, in the order of the batch, counted from the sequence's first token.
 *
 * @param before how many tokens each sequence has before these; empty for none
 * @param filler what padding gets: no query sees it there
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

/** How many tokens of its own each row has. */
export function lengthsOf({ starts, ends }: Padding): number[] {
  return ends.map((end, b) => end - starts[b]);
}

/** @throws ShapeError when the ids make no rows, or the padding is not that of these rows */
export function checkTokens(tokens: TokenBatch): void {
  const { ids, batchSize, padding } = tokens;
  const positions = positionsOf(tokens);
  if (!Number.isInteger(positions)) {
    throw new ShapeError(`tokens: ${ids.length} ids do not divide into ${batchSize} rows of one length`);
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
 * @param cached how many tokens each sequence has before these; empty for none
 * @throws ShapeError when a sequence would be longer than the context, or the batch is malformed
 */
export function checkSequences(
  model: string,
  tokens: TokenBatch,
  cached: readonly number[],
  contextLength: number,
): void {
  const { ids, batchSize } = tokens;
  const { starts, ends } = rowsOf(tokens);
  const longest = ends.reduce((most, end, b) => Math.max(most, (cached[b] ?? 0) + end - starts[b]), 0);
  if (!Number.isInteger(positionsOf(tokens)) || longest > contextLength) {
    const before = cached.reduce((most, length) => Math.max(most, length), 0);
    throw new ShapeError(
      `${model}: sequences may be ${contextLength} tokens long: got ${ids.length} ids in ${batchSize} rows after ${before} cached`,
    );
  }
  checkTokens(tokens);
}
