/**
 * The norms' arithmetic. LayerNorm: each row to mean 0 and variance 1, then scaled and shifted column by column.
 * RMS norm, where no mean is asked for: the same around 0 instead of the mean.
 */
import type { Buffer, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

/** y = (x − mean)·rstd ⊙ weight + bias, with rstd = 1/√(mean((x − mean)²) + ε). */
export function normalizeRows(
  y: Buffer,
  mean: Buffer | null,
  rstd: Buffer,
  x: Buffer,
  weight: Buffer | null,
  bias: Buffer | null,
  rows: number,
  columns: number,
  epsilon: number,
): void {
  const [ys, inverses, xs] = [y, rstd, x].map(numbersOf);
  const means = mean === null ? null : numbersOf(mean);
  const weights = weight === null ? null : numbersOf(weight);
  const biases = bias === null ? null : numbersOf(bias);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += xs[start + j];
    const rowMean = means === null ? 0 : sum / columns;
    let squares = 0;
    for (let j = 0; j < columns; j++) squares += (xs[start + j] - rowMean) * (xs[start + j] - rowMean);
    const inverse = 1 / Math.sqrt(squares / columns + epsilon);
    for (let j = 0; j < columns; j++) {
      ys[start + j] = (xs[start + j] - rowMean) * inverse * (weights?.[j] ?? 1) + (biases?.[j] ?? 0);
    }
    if (means !== null) means[row] = rowMean;
    inverses[row] = inverse;
  }
}

/**
 * With x̂ = (x − mean)·rstd and g = dy ⊙ weight:
 *
 *   dx      = rstd·(g − mean(g) − x̂·mean(g ⊙ x̂))    for each row
 *   dWeight = Σ_rows dy ⊙ x̂
 *   dBias   = Σ_rows dy
 *
 * Where no mean was taken away, none is: x̂ = x·rstd, and dx is without mean(g).
 */
export function normalizeRowsBackward(
  dx: WriteTarget | null,
  dWeight: WriteTarget | null,
  dBias: WriteTarget | null,
  dy: Buffer,
  x: Buffer,
  weight: Buffer | null,
  mean: Buffer | null,
  rstd: Buffer,
  rows: number,
  columns: number,
): void {
  const [dys, xs, inverses] = [dy, x, rstd].map(numbersOf);
  const means = mean === null ? null : numbersOf(mean);
  const weights = weight === null ? null : numbersOf(weight);
  const normalized = (row: number, j: number) =>
    (xs[row * columns + j] - (means?.[row] ?? 0)) * inverses[row];
  const gradient = (row: number, j: number) => dys[row * columns + j] * (weights?.[j] ?? 1);

  if (dx !== null) {
    const put = putInto(dx);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      let dot = 0;
      for (let j = 0; j < columns; j++) {
        if (means !== null) sum += gradient(row, j);
        dot += gradient(row, j) * normalized(row, j);
      }
      for (let j = 0; j < columns; j++) {
        const centered = gradient(row, j) - sum / columns - (normalized(row, j) * dot) / columns;
        put(row * columns + j, inverses[row] * centered);
      }
    }
  }
  if (dWeight !== null) {
    const put = putInto(dWeight);
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += dys[row * columns + j] * normalized(row, j);
      put(j, sum);
    }
  }
  if (dBias !== null) {
    const put = putInto(dBias);
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += dys[row * columns + j];
      put(j, sum);
    }
  }
}
