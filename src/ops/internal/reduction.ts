import type { ReductionSize } from "../../backend/backend.ts";
import { axisOf, type Shape, sizeOf } from "../../shape.ts";

/** A shape as (outer, axis, inner) around the axis to reduce, and the shape without that axis. */
export interface Reduction {
  readonly size: ReductionSize;
  readonly shape: Shape;
}

/**
 * @param axis the axis to reduce, −1 is the last; undefined reduces all axes to a single number
 * @throws ShapeError if the shape has no such axis
 */
export function reductionOf(op: string, shape: Shape, axis: number | undefined): Reduction {
  if (axis === undefined) return { size: { outer: 1, axis: sizeOf(shape), inner: 1 }, shape: [] };
  const at = axisOf(op, shape, axis);
  const [before, after] = [shape.slice(0, at), shape.slice(at + 1)];
  return {
    size: { outer: sizeOf(before), axis: shape[at], inner: sizeOf(after) },
    shape: [...before, ...after],
  };
}
