import { describe, expect, test } from "vitest";
import {
  interleavedHeads,
  type Layout,
  SAME,
  SIDE_BY_SIDE,
  STACKED,
  TRANSPOSED,
} from "../../../src/interop/maps/layouts.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import type { Shape } from "../../../src/shape.ts";

/** A tensor whose numbers say where they are: 1000·tensor + 10·row + column. */
function labelled(tensor: number, shape: Shape): StoredTensor {
  const columns = shape[shape.length - 1];
  const values = Float32Array.from({ length: shape.reduce((size, length) => size * length, 1) }, (_, i) => {
    return 1000 * tensor + 10 * Math.floor(i / columns) + (i % columns);
  });
  return { shape, values };
}

describe.each<[string, Layout, readonly Shape[], Shape, readonly number[]]>([
  ["the same", SAME, [[2, 3]], [2, 3], [0, 1, 2, 10, 11, 12]],
  ["Linear", TRANSPOSED, [[2, 3]], [3, 2], [0, 10, 1, 11, 2, 12]],
  [
    "GPT-2's joined weights, of different widths",
    SIDE_BY_SIDE,
    [
      [2, 2],
      [2, 1],
    ],
    [2, 3],
    [0, 1, 1000, 10, 11, 1010],
  ],
  ["GPT-2's joined biases", SIDE_BY_SIDE, [[2], [1]], [3], [0, 1, 1000]],
  [
    "nanoGPT's joined weights",
    STACKED,
    [
      [2, 2],
      [2, 1],
    ],
    [3, 2],
    [0, 10, 1, 11, 1000, 1010],
  ],
  [
    "GPT-NeoX's: the rows of head 0, then those of head 1",
    interleavedHeads(2),
    [
      [1, 4],
      [1, 4],
      [1, 4],
    ],
    [12, 1],
    [0, 1, 1000, 1001, 2000, 2001, 2, 3, 1002, 1003, 2002, 2003],
  ],
  ["GPT-NeoX's biases", interleavedHeads(2), [[2], [2], [2]], [6], [0, 1000, 2000, 1, 1001, 2001]],
])("%s", (_, layout, shapes, shape, values) => {
  const own = shapes.map((each, i) => labelled(i, each));

  test("each number is where the other program looks for it", () => {
    const foreign = layout.toForeign(own);
    expect(foreign.shape).toEqual(shape);
    expect(Array.from(foreign.values)).toEqual(values);
  });

  test("and comes back", () => {
    expect(layout.toOwn(layout.toForeign(own), shapes)).toEqual(own);
  });

  test("another shape is refused", () => {
    const wrong = labelled(0, [...shape].reverse().concat(1));
    expect(() => layout.toOwn(wrong, shapes)).toThrow(/^should be \(.*\): got \(/);
  });
});
