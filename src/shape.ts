/** Shapes: lists of sizes, outermost axis first. A shape of no axes is a single number. */
import { ShapeError } from "./errors.ts";

export type Shape = readonly number[];

/** How many numbers a shape holds. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** "(2, 3, 5)", as messages show it. */
export function formatShape(shape: Shape): string {
  return `(${shape.join(", ")})`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** @throws ShapeError unless every size is a whole number ≥ 0 */
export function checkShape(op: string, shape: Shape): void {
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ShapeError(`${op}: sizes must be whole numbers ≥ 0: got ${formatShape(shape)}`);
    }
  }
}

/** Strides of a block stored without gaps, last axis fastest. */
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
 * The axis that a number names; −1 is the last.
 *
 * @throws ShapeError when the shape has no such axis
 */
export function axisOf(op: string, shape: Shape, axis: number): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || index < 0 || index >= shape.length) {
    throw new ShapeError(`${op}: ${formatShape(shape)} has ${shape.length} axes: there is no axis ${axis}`);
  }
  return index;
}

/**
 * The shape that two shapes broadcast to: aligned at the last axis, a size of 1 stretches.
 *
 * @throws ShapeError when two sizes differ and neither is 1
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const axes = Math.max(a.length, b.length);
  const shape = new Array<number>(axes);
  for (let axis = 0; axis < axes; axis++) {
    const m = a[axis - axes + a.length] ?? 1;
    const n = b[axis - axes + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${op}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: counted from the last axis, sizes must be equal or one of them 1`,
      );
    }
    shape[axis] = m === 1 ? n : m;
  }
  return shape;
}

/** Strides that read a block without gaps of shape `from` as if it had shape `to`: 0 along stretched axes. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const added = to.length - from.length;
  return to.map((_, axis) => (axis < added || from[axis - added] === 1 ? 0 : own[axis - added]));
}
