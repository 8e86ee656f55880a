/** Random layouts of a block in a buffer: any order of the axes, with gaps, offsets and repetition. */
import type { Trial } from "./trial.ts";

export interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
  /** Minimum length of a buffer that holds the block. */
  readonly length: number;
}

/** @param repeats whether an axis may have stride 0 */
export function layOut(trial: Trial, shape: readonly number[], { repeats }: { repeats: boolean }): Layout {
  const strides = shape.map(() => 0);
  // Usually the last axis is innermost, as in a contiguous block.
  const order = trial.flip()
    ? shape.map((_, axis) => shape.length - 1 - axis)
    : shuffled(trial, shape.length);
  const offset = trial.pick([0, 0, 1, 4, 7]);
  let extent = 1;
  for (const axis of order) {
    if (repeats && trial.random.below(6) === 0) continue;
    strides[axis] = extent + trial.pick([0, 0, 0, 0, 1, 3]);
    extent = Math.max(strides[axis] * shape[axis], 1);
  }
  return { offset, strides, length: offset + extent };
}

/**
 * A batch of matrices as models use them: contiguous rows or contiguous columns, with gaps between them.
 *
 * @param repeats whether a batch axis may have stride 0
 */
export function layRuns(trial: Trial, shape: readonly number[], { repeats }: { repeats: boolean }): Layout {
  const strides = shape.map(() => 0);
  const last = shape.length - 1;
  const [run, across] = trial.flip() ? [last, last - 1] : [last - 1, last];
  const offset = trial.pick([0, 0, 1, 4, 7]);
  strides[run] = 1;
  strides[across] = Math.max(shape[run], 1) + trial.pick([0, 0, 1, 3]);
  let extent = Math.max(strides[across] * shape[across], 1);
  for (let axis = last - 2; axis >= 0; axis--) {
    if (repeats && trial.random.below(4) === 0) continue;
    strides[axis] = extent + trial.pick([0, 0, 5]);
    extent = Math.max(strides[axis] * shape[axis], 1);
  }
  return { offset, strides, length: offset + extent };
}

function shuffled(trial: Trial, length: number): number[] {
  const left = Array.from({ length }, (_, i) => i);
  return Array.from({ length }, () => left.splice(trial.random.below(left.length), 1)[0]);
}
