/**
 * Scaled dot-product attention of one batch of matrices, forward and backward, as one kernel.
 *
 *   s = scale·q·kᵀ                 over the visible columns only
 *   p = softmax(s)                 row by row
 *   y = drop(p)·v
 *
 * Source: Vaswani et al. 2017, §3.2.1; the backward pass that recomputes p: Dao et al. 2022.
 */
import { exp } from "../../math.ts";
import type { AttentionSize, Matrices, SoftmaxStatistics } from "../backend.ts";
import { batchStarts, type MatrixView, matrixAt, type Numbers, numbersOf } from "./buffer.ts";
import { dropFactor } from "./dropout.ts";
import { maxAndSum, visibleColumns } from "./softmax.ts";

export function attention(
  y: Matrices,
  statistics: SoftmaxStatistics,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
): void {
  const [maxima, sums] = [statistics.max, statistics.sum].map(numbersOf);
  forEachMatrix(size, [y, q, k, v], (matrix, [ys, qs, ks, vs]) => {
    for (let row = 0; row < size.rows; row++) {
      const seen = columnsSeen(matrix, row, size);
      const scores = scoresOf(qs, ks, row, seen, size, maxima);
      const { max, sum } = maxAndSum(scores, 0, scores.length);
      maxima[matrix * size.rows + row] = max;
      sums[matrix * size.rows + row] = sum;
      // A row that sees nothing, or only −∞, gives zeros.
      const weights = seen.map((column, i) => {
        return sum === 0 ? 0 : (exp(scores[i] - max) / sum) * factorAt(matrix, row, column, size);
      });
      for (let d = 0; d < size.width; d++) {
        let sum = 0;
        seen.forEach((column, i) => {
          sum += weights[i] * vs.get(column, d);
        });
        ys.set(row, d, sum);
      }
    }
  });
}

/**
 * With p the softmax weights, f the drop factors and dp = f ⊙ (dy·vᵀ):
 *
 *   dv = (f ⊙ p)ᵀ·dy
 *   ds = p ⊙ (dp − Σ_columns dp ⊙ p)       and the sum over columns is ⟨dy, y⟩ of the row
 *   dq = scale·ds·k,  dk = scale·dsᵀ·q
 */
export function attentionBackward(
  dq: Matrices,
  dk: Matrices,
  dv: Matrices,
  dy: Matrices,
  y: Matrices,
  statistics: SoftmaxStatistics,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
  accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
): void {
  const { rows, columns, width, scale } = size;
  const [maxima, sums] = [statistics.max, statistics.sum].map(numbersOf);
  forEachMatrix(size, [dq, dk, dv, dy, y, q, k, v], (matrix, [dqs, dks, dvs, dys, ys, qs, ks, vs]) => {
    if (!accumulate.dq) clear(dqs, rows, width);
    if (!accumulate.dk) clear(dks, columns, width);
    if (!accumulate.dv) clear(dvs, columns, width);
    for (let row = 0; row < rows; row++) {
      const [max, sum] = [maxima[matrix * rows + row], sums[matrix * rows + row]];
      // A row that sees nothing, or only −∞, gave zeros, whatever k and v hold.
      if (sum === 0) continue;
      let dot = 0;
      for (let d = 0; d < width; d++) dot += dys.get(row, d) * ys.get(row, d);
      const seen = columnsSeen(matrix, row, size);
      const scores = scoresOf(qs, ks, row, seen, size, maxima);
      for (const [i, column] of seen.entries()) {
        const weight = exp(scores[i] - max) / sum;
        const factor = factorAt(matrix, row, column, size);
        let dWeight = 0;
        for (let d = 0; d < width; d++) {
          dvs.add(column, d, factor * weight * dys.get(row, d));
          dWeight += factor * dys.get(row, d) * vs.get(column, d);
        }
        const dScore = scale * weight * (dWeight - dot);
        for (let d = 0; d < width; d++) {
          dqs.add(row, d, dScore * ks.get(column, d));
          dks.add(column, d, dScore * qs.get(row, d));
        }
      }
    }
  });
}

/** The columns that a row of a matrix sees, in ascending order. */
function columnsSeen(matrix: number, row: number, size: AttentionSize): number[] {
  const { batch, rows, columns, mask } = size;
  if (typeof mask === "string") return range(0, visibleColumns(mask, row, rows, columns));
  // All matrices of one index of the first axis (the heads of a sequence) share its range.
  const sharing = batch.slice(1).reduce((count, length) => count * length, 1);
  const { start, end, diagonal } = mask[Math.floor(matrix / sharing)];
  return range(start, Math.min(end, diagonal + row + 1));
}

/** from … end−1. */
function range(from: number, end: number): number[] {
  const numbers: number[] = [];
  for (let i = from; i < end; i++) numbers.push(i);
  return numbers;
}

/**
 * scale·⟨q[row], k[column]⟩ for the given columns, rounded as `stored` rounds what is saved for backward. So the saved
 * maximum is one of them.
 */
function scoresOf(
  q: MatrixView,
  k: MatrixView,
  row: number,
  columns: readonly number[],
  size: AttentionSize,
  stored: Numbers,
): Numbers {
  const scores =
    stored instanceof Float32Array ? new Float32Array(columns.length) : new Float64Array(columns.length);
  for (const [i, column] of columns.entries()) {
    let sum = 0;
    for (let d = 0; d < size.width; d++) sum += q.get(row, d) * k.get(column, d);
    scores[i] = size.scale * sum;
  }
  return scores;
}

function factorAt(matrix: number, row: number, column: number, size: AttentionSize): number {
  if (size.dropping === null) return 1;
  return dropFactor((matrix * size.rows + row) * size.columns + column, size.dropping);
}

function clear(matrix: MatrixView, rows: number, columns: number): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) matrix.set(i, j, 0);
  }
}

function forEachMatrix(
  { batch }: AttentionSize,
  operands: readonly Matrices[],
  visit: (matrix: number, views: readonly MatrixView[]) => void,
): void {
  const starts = operands.map((matrices) => batchStarts(matrices, batch));
  starts[0].forEach((_, matrix) => {
    visit(
      matrix,
      operands.map((matrices, operand) => matrixAt(matrices, starts[operand][matrix])),
    );
  });
}
