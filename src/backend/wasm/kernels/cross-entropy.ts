/** Cross-entropy of rows begin … end−1 of logits against one target column each. A target below 0 is ignored. */
import { expOfNegative, log } from "./math";
import { rowExpSum, rowMax, shiftOf } from "./row";
import { at, loadPart, put, putPart, putSixteen } from "./vector";

/** loss = log sum − (x[target] − max). */
export function crossEntropyRows(
  loss: usize, max: usize, sum: usize, x: usize, targets: usize, columns: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const from = at(x, row * columns);
    const largest = rowMax(from, columns);
    const total = rowExpSum(from, shiftOf(largest), columns);
    f32.store(at(max, row), largest);
    f32.store(at(sum, row), total);
    const logSum = f32x4.extract_lane(log(f32x4.splat(total)), 0);
    const target = <i32>f32.load(at(targets, row));
    f32.store(at(loss, row), target < 0 ? 0 : logSum - (f32.load(at(from, target)) - largest));
  }
}

/** dx = dLoss·(exp(x − max)/sum − [column = target]). */
export function crossEntropyRowsBackward(
  dx: usize, dLoss: usize, x: usize, max: usize, sum: usize, targets: usize,
  columns: i32, accumulate: bool, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const from = at(x, row * columns);
    const to = at(dx, row * columns);
    const target = <i32>f32.load(at(targets, row));
    if (target < 0) {
      if (!accumulate) memory.fill(to, 0, <usize>columns << 2);
      continue;
    }
    const largest = f32x4.splat(f32.load(at(max, row)));
    const share = f32x4.splat(<f32>1 / f32.load(at(sum, row)));
    const derivative = f32x4.splat(f32.load(at(dLoss, row)));
    let j = 0;
    for (; j <= columns - 16; j += 16) {
      const logits = at(from, j);
      const a = gradient(v128.load(logits), largest, share, derivative, target - j);
      const b = gradient(v128.load(logits, 16), largest, share, derivative, target - j - 4);
      const c = gradient(v128.load(logits, 32), largest, share, derivative, target - j - 8);
      const d = gradient(v128.load(logits, 48), largest, share, derivative, target - j - 12);
      putSixteen(at(to, j), a, b, c, d, accumulate);
    }
    for (; j <= columns - 4; j += 4) {
      put(at(to, j), gradient(v128.load(at(from, j)), largest, share, derivative, target - j), accumulate);
    }
    if (j < columns) {
      const part = loadPart(at(from, j), columns - j, 0);
      putPart(at(to, j), gradient(part, largest, share, derivative, target - j), columns - j, accumulate);
    }
  }
}

/** derivative·(exp(x − max)·share − [lane = target]). */
@inline
function gradient(x: v128, max: v128, share: v128, derivative: v128, target: i32): v128 {
  const hit = v128.and(f32x4.splat(1), i32x4.eq(i32x4.splat(target), i32x4(0, 1, 2, 3)));
  const probability = f32x4.mul(expOfNegative(f32x4.sub(x, max)), share);
  return f32x4.mul(derivative, f32x4.sub(probability, hit));
}
