import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "../src/errors.ts";
import {
  axisOf,
  broadcastShapes,
  broadcastStrides,
  checkShape,
  formatShape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../src/shape.ts";
import { indicesOf } from "./support/block.ts";

describe("sizes and strides", () => {
  test.each([
    [[], 1, [], "()"],
    [[7], 7, [1], "(7)"],
    [[2, 3, 5], 30, [15, 5, 1], "(2, 3, 5)"],
    [[2, 0, 5], 0, [0, 5, 1], "(2, 0, 5)"],
  ])("of %j", (shape, size, strides, text) => {
    expect(sizeOf(shape)).toBe(size);
    expect(stridesOf(shape)).toEqual(strides);
    expect(formatShape(shape)).toBe(text);
  });

  test("strides enumerate the elements in order", () => {
    const shape = [2, 3, 5];
    const strides = stridesOf(shape);
    const places = indicesOf(shape).map((index) => index.reduce((at, i, axis) => at + i * strides[axis], 0));
    expect(places).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  test("sameShape compares every axis", () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect([sameShape([2, 3], [3, 2]), sameShape([2], [2, 1]), sameShape([2, 1], [2])]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("checkShape", () => {
  test.each([[[-1]], [[2, 0.5]], [[Number.NaN]], [[Number.POSITIVE_INFINITY]]])("rejects %j", (shape) => {
    const message = `reshape: sizes must be whole numbers ≥ 0: got (${shape.join(", ")})`;
    expect(() => checkShape("reshape", shape)).toThrow(new ShapeError(message));
  });

  test("accepts valid shapes", () => {
    for (const shape of [[], [0], [2, 3]]) expect(() => checkShape("reshape", shape)).not.toThrow();
  });
});

describe("axisOf", () => {
  test.each([
    [0, 0],
    [2, 2],
    [-1, 2],
    [-3, 0],
  ])("%i is axis %i of three", (axis, index) => {
    expect(axisOf("sum", [2, 3, 5], axis)).toBe(index);
  });

  test.each([3, -4, 0.5, Number.NaN])("there is no axis %d", (axis) => {
    const message = `sum: (2, 3, 5) has 3 axes: there is no axis ${axis}`;
    expect(() => axisOf("sum", [2, 3, 5], axis)).toThrow(new ShapeError(message));
  });

  test("a single number has no axes", () => {
    expect(() => axisOf("sum", [], 0)).toThrow(ShapeError);
    expect(() => axisOf("sum", [], -1)).toThrow(ShapeError);
  });
});

describe("broadcasting", () => {
  test.each([
    [[2, 3], [3], [2, 3]],
    [
      [2, 1, 5],
      [3, 1],
      [2, 3, 5],
    ],
    [[], [2, 3], [2, 3]],
    [[1], [0], [0]],
    [
      [5, 1],
      [1, 7],
      [5, 7],
    ],
  ])("%j and %j broadcast to %j", (a, b, shape) => {
    expect(broadcastShapes("add", a, b)).toEqual(shape);
    expect(broadcastShapes("add", b, a)).toEqual(shape);
  });

  test.each([
    [[2, 3], [2]],
    [
      [2, 3],
      [3, 2],
    ],
    [[0], [2]],
  ])("%j and %j do not broadcast", (a, b) => {
    const message = `add: (${a.join(", ")}) and (${b.join(", ")}) do not broadcast: aligned at the last axis, sizes must be equal or one of them must be 1`;
    expect(() => broadcastShapes("add", a, b)).toThrow(new ShapeError(message));
  });

  test("strides repeat the small block along stretched axes", () => {
    const aShape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
    const stretches = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(aShape, stretches, fc.nat(4), (to, stretched, dropped) => {
        const from = to
          .map((length, axis) => (stretched[axis] ? 1 : length))
          .slice(Math.min(dropped, to.length));
        const strides = broadcastStrides(from, to);
        const own = stridesOf(from);
        for (const index of indicesOf(to)) {
          const at = index.reduce((sum, i, axis) => sum + i * strides[axis], 0);
          const inner = index.slice(to.length - from.length);
          const expected = inner.reduce((sum, i, axis) => sum + (from[axis] === 1 ? 0 : i * own[axis]), 0);
          expect(at).toBe(expected);
        }
      }),
    );
  });
});
