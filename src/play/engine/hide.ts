/** Hides positions in attention, in the right way and in wrong ones. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { exp } from "../../math.ts";
import { maskedAdd } from "../../ops/masked-add.ts";
import { multiply } from "../../ops/multiply.ts";
import { softmax } from "../../ops/softmax.ts";
import type { Way } from "../ways.ts";

/** A matrix as a list of rows. */
export type Matrix = readonly (readonly number[])[];

/** Attention of T positions to themselves, (T, T) each. */
export interface Hidden {
  /** What is added to the scores; for `after`, what the weights are multiplied by: 0 or 1. */
  readonly mask: Matrix;
  /** What the softmax reads. */
  readonly masked: Matrix;
  /** exp(x − max) for each row of `masked`. */
  readonly powers: Matrix;
  /** The softmax of `masked`. */
  readonly softmax: Matrix;
  /** A */
  readonly weights: Matrix;
}

/** Scores as large would show through; single precision has no room for them beside it. */
const LARGE = -1e9;

/**
 * Attention weights of scores (T, T), with some of them hidden in a way.
 *
 * @param shows whether a row shows a column
 */
export function hide(
  context: Context,
  scores: Matrix,
  shows: (row: number, column: number) => boolean,
  way: Way,
): Promise<Hidden> {
  const hidden = { infinity: Number.NEGATIVE_INFINITY, large: LARGE, after: 0, none: 0 }[way];
  const shown = way === "after" ? 1 : 0;
  const mask = scores.map((row, t) => row.map((_, s) => (shows(t, s) ? shown : hidden)));
  return context.scope("no-grad", async () => {
    const [s, m] = [scores, mask].map((matrix) => tensorOf(context, matrix));
    const read = way === "after" ? s : maskedAdd(s, m);
    const normalized = softmax(read);
    const masked = await matrixOf(read);
    return {
      mask,
      masked,
      powers: masked.map(powersOf),
      softmax: await matrixOf(normalized),
      weights: await matrixOf(way === "after" ? multiply(normalized, m) : normalized),
    };
  });
}

function powersOf(row: readonly number[]): number[] {
  const max = row.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  return row.map((score) => exp(score - max));
}

function tensorOf(context: Context, matrix: Matrix): Tensor {
  return context.constant([matrix.length, matrix[0].length], matrix.flat());
}

/** The numbers of a tensor (…, S), as rows. */
export async function matrixOf(tensor: Tensor): Promise<Matrix> {
  const columns = tensor.shape[tensor.shape.length - 1];
  const values = Array.from(await tensor.read());
  return Array.from({ length: values.length / columns }, (_, i) =>
    values.slice(i * columns, (i + 1) * columns),
  );
}
