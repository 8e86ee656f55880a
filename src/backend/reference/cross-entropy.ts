/** Cross-entropy of rows of logits against one target column each. */
import { exp, log } from "../../math.ts";
import type { Buffer, HostIntegers, SoftmaxStatistics, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";
import { maxAndSum } from "./softmax.ts";

/** loss[i] = log sum − (x[i, targets[i]] − max): −log of the softmax at the target; 0 for a target below 0. */
export function crossEntropyRows(
  loss: Buffer,
  statistics: SoftmaxStatistics,
  x: Buffer,
  targets: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [losses, maxima, sums, xs] = [loss, statistics.max, statistics.sum, x].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    const { max, sum } = maxAndSum(xs, i * columns, columns);
    maxima[i] = max;
    sums[i] = sum;
    losses[i] = targets[i] < 0 ? 0 : log(sum) - (xs[i * columns + targets[i]] - max);
  }
}

/** dx[i, j] = dLoss[i]·(softmax(x)[i, j] − [j = targets[i]]); 0 for a target below 0. */
export function crossEntropyRowsBackward(
  dx: WriteTarget,
  dLoss: Buffer,
  x: Buffer,
  statistics: SoftmaxStatistics,
  targets: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [dLosses, xs, maxima, sums] = [dLoss, x, statistics.max, statistics.sum].map(numbersOf);
  const put = putInto(dx);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const probability = exp(xs[i * columns + j] - maxima[i]) / sums[i];
      const gradient = dLosses[i] * (probability - (j === targets[i] ? 1 : 0));
      put(i * columns + j, targets[i] < 0 ? 0 : gradient);
    }
  }
}
