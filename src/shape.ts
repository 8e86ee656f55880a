/** Shapes: lists of sizes, outermost axis first. A shape without axes is a single number. */
import { ShapeError } from "./errors.ts";

export type Shape = readonly number[];

/** The number of elements in a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** "(2, 3, 5)", for messages. */
export function formatShape(shape: Shape): string {
  return `(${shape.join(", ")})`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** @throws ShapeError unless it is an array of integers ≥ 0 */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape)) throw new ShapeError(`${op}: the shape must be an array of sizes: got ${shape}`);
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ShapeError(`${op}: sizes must be whole numbers ≥ 0: got ${formatShape(shape)}`);
    }
  }
}

/** The strides of a contiguous block, last axis fastest. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * The index of an axis; negative numbers count from the end, so −1 is the last axis.
 *
 * @throws ShapeError if the shape has no such axis
 */
export function axisOf(op: string, shape: Shape, axis: number): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || index < 0 || index >= shape.length) {
    throw new ShapeError(`${op}: ${formatShape(shape)} has ${shape.length} axes: there is no axis ${axis}`);
  }
  return index;
}

/**
 * The shape that two shapes broadcast to: they are aligned at the last axis, and a size of 1 stretches.
 *
 * @throws ShapeError if two sizes differ and neither is 1
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const axes = Math.max(a.length, b.length);
  const shape = new Array<number>(axes);
  for (let axis = 0; axis < axes; axis++) {
    const m = a[axis - axes + a.length] ?? 1;
    const n = b[axis - axes + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${op}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: aligned at the last axis, sizes must be equal or one of them must be 1`,
      );
    }
    shape[axis] = m === 1 ? n : m;
  }
  return shape;
}

/** Strides that read a contiguous block of shape `from` as if it had shape `to`: 0 along stretched axes. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const added = to.length - from.length;
  return to.map((_, axis) => (axis < added || from[axis - added] === 1 ? 0 : own[axis - added]));
}
