/** Cross-entropy of rows of logits against one target column each. */
import { exp } from "../../math.ts";
import type { Buffer, HostIntegers, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";
import { logSumExp as logSumExpOf } from "./softmax.ts";

/** loss[i] = logSumExp[i] − x[i, targets[i]]: −log of the softmax at the target; 0 for a target below 0. */
export function crossEntropyRows(
  loss: Buffer,
  logSumExp: Buffer,
  x: Buffer,
  targets: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [losses, totals, xs] = [loss, logSumExp, x].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    const total = logSumExpOf(xs, i * columns, columns);
    totals[i] = total;
    losses[i] = targets[i] < 0 ? 0 : total - xs[i * columns + targets[i]];
  }
}

/** dx[i, j] = dLoss[i]·(softmax(x)[i, j] − [j = targets[i]]); 0 for a target below 0. */
export function crossEntropyRowsBackward(
  dx: WriteTarget,
  dLoss: Buffer,
  x: Buffer,
  logSumExp: Buffer,
  targets: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [dLosses, xs, totals] = [dLoss, x, logSumExp].map(numbersOf);
  const put = putInto(dx);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const probability = exp(xs[i * columns + j] - totals[i]);
      const gradient = dLosses[i] * (probability - (j === targets[i] ? 1 : 0));
      put(i * columns + j, targets[i] < 0 ? 0 : gradient);
    }
  }
}
