/**
 * Splits strided copies with any number of axes into blocks of four axes for kernels/copy.ts.
 *
 * Axes of length 1 are removed, the others sorted by dst's strides, and neighboring axes without a gap on either side
 * merged. A contiguous block thus becomes a single run, whatever its axes, and splitting or joining heads becomes a
 * loop over runs.
 */
import type { Strided } from "../../backend.ts";

export interface Axis {
  readonly length: number;
  readonly dst: number;
  readonly src: number;
}

/** A copy over four axes. `dst` and `src` are offsets, counted in numbers from the start of the buffers. */
export interface Block {
  readonly dst: number;
  readonly src: number;
  readonly axes: readonly [Axis, Axis, Axis, Axis];
}

const one: Axis = { length: 1, dst: 0, src: 0 };

/** The blocks that make up dst[i, j, …] = src[i, j, …] over `shape`. */
export function blocksOf(dst: Strided, src: Strided, shape: readonly number[]): Block[] {
  if (shape.includes(0)) return [];
  const axes = shape.map((length, i) => ({ length, dst: dst.strides[i], src: src.strides[i] }));
  // Along an axis with dst stride 0, the last number written wins.
  const repeated = axes.filter((axis) => axis.dst === 0);
  const start = repeated.reduce((at, { length, src }) => at + (length - 1) * src, src.offset);
  const moving = merge(axes.filter((axis) => axis.length > 1 && axis.dst !== 0));
  bringTransposeInside(moving);
  const [a, b, c, d] = [one, one, one, one, ...moving].slice(-4);
  let starts = [{ dst: dst.offset, src: start }];
  for (const axis of moving.slice(0, -4)) starts = starts.flatMap((at) => walk(at, axis));
  return starts.map((at) => ({ ...at, axes: [a, b, c, d] }));
}

/**
 * Sorts by dst's stride, largest first, and merges neighbors that are one axis on both sides: (i, j) ↦ i·length + j.
 */
function merge(axes: Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes.sort((a, b) => Math.abs(b.dst) - Math.abs(a.dst))) {
    const last = merged.at(-1);
    if (last?.dst === axis.dst * axis.length && last.src === axis.src * axis.length) {
      merged[merged.length - 1] = { ...axis, length: last.length * axis.length };
    } else {
      merged.push(axis);
    }
  }
  return merged;
}

/**
 * Moves the axis along which src is contiguous next to the last, along which dst is contiguous: the kernel transposes
 * tiles.
 */
function bringTransposeInside(axes: Axis[]): void {
  const last = axes.at(-1);
  if (last === undefined || last.dst !== 1 || last.src === 0 || last.src === 1) return;
  const contiguous = axes.findIndex((axis) => axis.src === 1);
  if (contiguous >= 0) axes.splice(axes.length - 2, 0, ...axes.splice(contiguous, 1));
}

function walk(at: { dst: number; src: number }, axis: Axis): { dst: number; src: number }[] {
  return Array.from({ length: axis.length }, (_, i) => ({
    dst: at.dst + i * axis.dst,
    src: at.src + i * axis.src,
  }));
}

/** Runs up to this length are not worth dividing among threads. */
const shortRun = 4096;

/** Whether a copy is a single short run of numbers on both sides, like a token's keys in a cache. */
export function isShortRun(dst: Strided, src: Strided, shape: readonly number[]): boolean {
  if (dst.offset < 0 || src.offset < 0) return false;
  let length = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (dst.strides[axis] !== length || src.strides[axis] !== length) return false;
    length *= shape[axis];
  }
  return length > 0 && length <= shortRun;
}
