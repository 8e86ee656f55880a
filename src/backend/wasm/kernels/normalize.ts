/**
 * The arithmetic of the norms. For the formulas, see ../../reference/normalize.ts. A mean, weight or bias of 0 means
 * none.
 */
import { rowSquaredDeviation, rowSum } from "./row";
import { at, loadPart, loadSome, put, putSixteen, putPart, putSome, storePart, sumLanes } from "./vector";

/** Rows begin … end−1, each in three passes while it is in cache: mean, variance, result. */
export function normalizeRows(
  y: usize, mean: usize, inverseDeviation: usize, x: usize, weight: usize, bias: usize,
  columns: i32, epsilon: f32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    normalizeRow(at(y, row * columns), mean, inverseDeviation, at(x, row * columns), weight, bias, columns, epsilon, row);
  }
}

@inline
function normalizeRow(
  to: usize, mean: usize, inverseDeviation: usize, from: usize, weight: usize, bias: usize,
  columns: i32, epsilon: f32, row: i32,
): void {
  const center: f32 = mean ? rowSum(from, columns) / <f32>columns : 0;
  const variance = rowSquaredDeviation(from, center, columns) / <f32>columns;
  const inverse = <f32>1 / sqrt<f32>(variance + epsilon);
  if (mean) f32.store(at(mean, row), center);
  f32.store(at(inverseDeviation, row), inverse);
  const centers = f32x4.splat(center);
  const inverses = f32x4.splat(inverse);
  let j = 0;
  for (; j <= columns - 4; j += 4) {
    let value = f32x4.mul(f32x4.sub(v128.load(at(from, j)), centers), inverses);
    if (weight) value = f32x4.mul(value, v128.load(at(weight, j)));
    if (bias) value = f32x4.add(value, v128.load(at(bias, j)));
    v128.store(at(to, j), value);
  }
  if (j < columns) {
    const left = columns - j;
    let value = f32x4.mul(f32x4.sub(loadPart(at(from, j), left, 0), centers), inverses);
    if (weight) value = f32x4.mul(value, loadPart(at(weight, j), left, 0));
    if (bias) value = f32x4.add(value, loadPart(at(bias, j), left, 0));
    storePart(at(to, j), value, left);
  }
}

/** dx of rows begin … end−1: inverseDeviation·(g − mean(g) − x̂·mean(g ⊙ x̂)) with g = dy ⊙ weight. */
export function normalizeRowsBackward(
  dx: usize, dy: usize, x: usize, weight: usize, mean: usize, inverseDeviation: usize,
  columns: i32, accumulate: bool, begin: i32, end: i32,
): void {
  const one = f32x4.splat(1);
  for (let row = begin; row < end; row++) {
    const from = at(x, row * columns);
    const derivative = at(dy, row * columns);
    const to = at(dx, row * columns);
    const centers = centersOf(mean, row);
    const inverses = f32x4.splat(f32.load(at(inverseDeviation, row)));
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    let dot0 = sum0;
    let dot1 = sum0;
    let j = 0;
    for (; j <= columns - 8; j += 8) {
      const g0 = f32x4.mul(v128.load(at(derivative, j)), weight ? v128.load(at(weight, j)) : one);
      const g1 = f32x4.mul(v128.load(at(derivative, j), 16), weight ? v128.load(at(weight, j), 16) : one);
      sum0 = f32x4.add(sum0, g0);
      sum1 = f32x4.add(sum1, g1);
      dot0 = f32x4.add(dot0, f32x4.mul(g0, f32x4.sub(v128.load(at(from, j)), centers)));
      dot1 = f32x4.add(dot1, f32x4.mul(g1, f32x4.sub(v128.load(at(from, j), 16), centers)));
    }
    if (j <= columns - 4) {
      const g = f32x4.mul(v128.load(at(derivative, j)), weight ? v128.load(at(weight, j)) : one);
      sum0 = f32x4.add(sum0, g);
      dot0 = f32x4.add(dot0, f32x4.mul(g, f32x4.sub(v128.load(at(from, j)), centers)));
      j += 4;
    }
    if (j < columns) {
      const left = columns - j;
      const g = f32x4.mul(loadPart(at(derivative, j), left, 0), weight ? loadPart(at(weight, j), left, 0) : one);
      sum1 = f32x4.add(sum1, g);
      dot1 = f32x4.add(dot1, f32x4.mul(g, f32x4.sub(loadPart(at(from, j), left, 0), centers)));
    }
    const count = f32x4.splat(<f32>columns);
    // A row that was not centered has no mean to subtract from its gradient.
    const derivatives: f32 = mean ? sumLanes(f32x4.add(sum0, sum1)) : 0;
    const meanDerivative = f32x4.div(f32x4.splat(derivatives), count);
    // The second factor, inverseDeviation, turns x − mean into x̂ below.
    const dot = f32x4.mul(f32x4.splat(sumLanes(f32x4.add(dot0, dot1))), inverses);
    const meanDot = f32x4.mul(f32x4.div(dot, count), inverses);
    for (j = 0; j <= columns - 4; j += 4) {
      const g = f32x4.mul(v128.load(at(derivative, j)), weight ? v128.load(at(weight, j)) : one);
      const along = f32x4.mul(f32x4.sub(v128.load(at(from, j)), centers), meanDot);
      put(at(to, j), f32x4.mul(inverses, f32x4.sub(f32x4.sub(g, meanDerivative), along)), accumulate);
    }
    if (j < columns) {
      const left = columns - j;
      const g = f32x4.mul(loadPart(at(derivative, j), left, 0), weight ? loadPart(at(weight, j), left, 0) : one);
      const along = f32x4.mul(f32x4.sub(loadPart(at(from, j), left, 0), centers), meanDot);
      putPart(at(to, j), f32x4.mul(inverses, f32x4.sub(f32x4.sub(g, meanDerivative), along)), left, accumulate);
    }
  }
}

/**
 * dWeight = Σ_rows dy ⊙ x̂ and dBias = Σ_rows dy, for columns begin … end−1, one row after the other. An address of 0
 * skips that gradient. Processes sixteen columns at a time: one cache line of each row.
 */
export function normalizeRowsBackwardColumns(
  dWeight: usize, dBias: usize, dy: usize, x: usize, mean: usize, inverseDeviation: usize,
  rows: i32, columns: i32, accumulateWeight: bool, accumulateBias: bool, begin: i32, end: i32,
): void {
  let j = begin;
  for (; j <= end - 16; j += 16) {
    let weight0 = f32x4.splat(0);
    let weight1 = weight0;
    let weight2 = weight0;
    let weight3 = weight0;
    let bias0 = weight0;
    let bias1 = weight0;
    let bias2 = weight0;
    let bias3 = weight0;
    for (let row = 0; row < rows; row++) {
      const derivative = at(dy, row * columns + j);
      const from = at(x, row * columns + j);
      const centers = centersOf(mean, row);
      const inverses = f32x4.splat(f32.load(at(inverseDeviation, row)));
      const dy0 = v128.load(derivative);
      const dy1 = v128.load(derivative, 16);
      const dy2 = v128.load(derivative, 32);
      const dy3 = v128.load(derivative, 48);
      bias0 = f32x4.add(bias0, dy0);
      bias1 = f32x4.add(bias1, dy1);
      bias2 = f32x4.add(bias2, dy2);
      bias3 = f32x4.add(bias3, dy3);
      weight0 = f32x4.add(weight0, timesNormalized(dy0, v128.load(from), centers, inverses));
      weight1 = f32x4.add(weight1, timesNormalized(dy1, v128.load(from, 16), centers, inverses));
      weight2 = f32x4.add(weight2, timesNormalized(dy2, v128.load(from, 32), centers, inverses));
      weight3 = f32x4.add(weight3, timesNormalized(dy3, v128.load(from, 48), centers, inverses));
    }
    if (dWeight) putSixteen(at(dWeight, j), weight0, weight1, weight2, weight3, accumulateWeight);
    if (dBias) putSixteen(at(dBias, j), bias0, bias1, bias2, bias3, accumulateBias);
  }
  for (; j < end; j += 4) {
    const left = min(end - j, 4);
    let weight = f32x4.splat(0);
    let bias = weight;
    for (let row = 0; row < rows; row++) {
      const centers = centersOf(mean, row);
      const inverses = f32x4.splat(f32.load(at(inverseDeviation, row)));
      const derivative = loadSome(at(dy, row * columns + j), left);
      bias = f32x4.add(bias, derivative);
      const value = loadSome(at(x, row * columns + j), left);
      weight = f32x4.add(weight, timesNormalized(derivative, value, centers, inverses));
    }
    if (dWeight) putSome(at(dWeight, j), weight, left, accumulateWeight);
    if (dBias) putSome(at(dBias, j), bias, left, accumulateBias);
  }
}

/** The value that a row was centered on. */
@inline
function centersOf(mean: usize, row: i32): v128 {
  return f32x4.splat(mean ? f32.load(at(mean, row)) : 0);
}

/** dy·x̂. */
@inline
function timesNormalized(dy: v128, x: v128, centers: v128, inverses: v128): v128 {
  return f32x4.mul(dy, f32x4.mul(f32x4.sub(x, centers), inverses));
}
