/** How a foreign tensor holds one or more of nopeek's. Every layout only moves numbers, so it keeps their bits. */
import { CheckpointError } from "../../errors.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../../shape.ts";

export interface Layout {
  /** nopeek's tensors as the foreign one. */
  toForeign(own: readonly StoredTensor[]): StoredTensor;
  /**
   * The foreign tensor as nopeek's, which have these shapes.
   *
   * @throws CheckpointError if the foreign tensor has another shape than such tensors make
   */
  toOwn(foreign: StoredTensor, shapes: readonly Shape[]): StoredTensor[];
}

/** The same numbers in the same order: embeddings, norms, biases, and GPT-2's Conv1D, which is (in, out) as ours. */
export const SAME: Layout = {
  toForeign: ([own]) => own,
  toOwn: (foreign, [shape]) => [checked(foreign, shape)],
};

/** PyTorch's Linear: (out, in). */
export const TRANSPOSED: Layout = {
  toForeign: ([own]) => transposed(own),
  toOwn: (foreign, [shape]) => [transposed(checked(foreign, [...shape].reverse()))],
};

/** Several tensors with their last axes one after the other, as GPT-2's queries, keys and values. */
export const SIDE_BY_SIDE: Layout = {
  toForeign: (own) => sideBySide(own, own.map(widthOf)),
  toOwn: (foreign, shapes) => split(checked(foreign, joinedShape(shapes)), shapes.map(lastOf), shapes),
};

/** nanoGPT's c_attn: as GPT-2's, but of a Linear, (out, in). */
export const STACKED: Layout = {
  toForeign: (own) => transposed(SIDE_BY_SIDE.toForeign(own)),
  toOwn: (foreign, shapes) =>
    SIDE_BY_SIDE.toOwn(transposed(checked(foreign, [...joinedShape(shapes)].reverse())), shapes),
};

/**
 * GPT-NeoX's queries, keys and values: those of head 0, then those of head 1, and so on; a weight is (out, in).
 *
 * @param heads the number of heads
 */
export function interleavedHeads(heads: number): Layout {
  return {
    toForeign: (own) =>
      maybeTransposed(
        sideBySide(
          own,
          own.map((tensor) => widthOf(tensor) / heads),
        ),
      ),
    toOwn: (foreign, shapes) => {
      const joined = joinedShape(shapes);
      const turned = maybeTransposed(checked(foreign, joined.length === 1 ? joined : [...joined].reverse()));
      return split(
        turned,
        shapes.map((shape) => lastOf(shape) / heads),
        shapes,
      );
    },
  };
}

function lastOf(shape: Shape): number {
  return shape[shape.length - 1];
}

function widthOf({ shape }: StoredTensor): number {
  return lastOf(shape);
}

/** The shape of several tensors side by side. */
function joinedShape(shapes: readonly Shape[]): Shape {
  return [...shapes[0].slice(0, -1), shapes.reduce((sum, shape) => sum + lastOf(shape), 0)];
}

/** Joins rows: the first `widths[0]` numbers of the first tensor, `widths[1]` of the second, …, and again from the first. */
function sideBySide(own: readonly StoredTensor[], widths: readonly number[]): StoredTensor {
  const shape = joinedShape(own.map((tensor) => tensor.shape));
  const values = new Float32Array(own.reduce((sum, tensor) => sum + tensor.values.length, 0));
  let at = 0;
  for (let piece = 0; at < values.length; piece++) {
    own.forEach((tensor, i) => {
      values.set(tensor.values.subarray(piece * widths[i], (piece + 1) * widths[i]), at);
      at += widths[i];
    });
  }
  return { shape, values };
}

/** The inverse of `sideBySide`. */
function split(foreign: StoredTensor, widths: readonly number[], shapes: readonly Shape[]): StoredTensor[] {
  const own = shapes.map((shape) => ({
    shape,
    values: new Float32Array(sizeOf(shape)),
  }));
  let at = 0;
  for (let piece = 0; at < foreign.values.length; piece++) {
    own.forEach(({ values }, i) => {
      values.set(foreign.values.subarray(at, at + widths[i]), piece * widths[i]);
      at += widths[i];
    });
  }
  return own;
}

/** A matrix transposed, a vector as it is. */
function maybeTransposed(tensor: StoredTensor): StoredTensor {
  return tensor.shape.length === 1 ? tensor : transposed(tensor);
}

function transposed({ shape, values }: StoredTensor): StoredTensor {
  const [rows, columns] = shape;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column];
    }
  }
  return { shape: [columns, rows], values: turned };
}

function checked(foreign: StoredTensor, shape: Shape): StoredTensor {
  if (sameShape(foreign.shape, shape)) return foreign;
  throw new CheckpointError(`should be ${formatShape(shape)}: got ${formatShape(foreign.shape)}`);
}
