import { describe, expect, test } from "vitest";
import { ShapeError } from "../../../src/errors.ts";
import { checkTokens, lengthsOf, padLike, padTokens, rowsOf } from "../../../src/nn/inputs/token-batch.ts";

const rows = [[1, 2, 3], [], [4, 5]];

describe("padTokens", () => {
  test("pads on the right", () => {
    const { ids, batchSize, padding } = padTokens(rows, "right");
    expect(Array.from(ids)).toEqual([1, 2, 3, 0, 0, 0, 4, 5, 0]);
    expect([batchSize, padding]).toEqual([3, { starts: [0, 0, 0], ends: [3, 0, 2] }]);
  });

  test("pads on the left", () => {
    const { ids, padding } = padTokens(rows, "left");
    expect(Array.from(ids)).toEqual([1, 2, 3, 0, 0, 0, 0, 4, 5]);
    expect(padding).toEqual({ starts: [0, 3, 1], ends: [3, 3, 3] });
  });

  test("leaves rows of equal length as they are", () => {
    expect(padTokens([[1, 2], new Uint16Array([3, 4])], "left")).toEqual({
      ids: new Int32Array([1, 2, 3, 4]),
      batchSize: 2,
    });
    expect(padTokens([], "right")).toEqual({ ids: new Int32Array(0), batchSize: 0 });
  });
});

test("padLike puts values where the tokens are", () => {
  const values = [[7, 8, 9], [], [5, 6]];
  expect(Array.from(padLike(padTokens(rows, "left"), values, -1))).toEqual([7, 8, 9, -1, -1, -1, -1, 5, 6]);
  expect(Array.from(padLike(padTokens(rows, "right"), values, -1))).toEqual([7, 8, 9, -1, -1, -1, 5, 6, -1]);
  expect(Array.from(padLike(padTokens([[1], [2]], "right"), [[3], [4]], -1))).toEqual([3, 4]);
  const short = "padding: row 2 has 2 tokens: got 1 values";
  expect(() => padLike(padTokens(rows, "left"), [[7, 8, 9], [], [5]], -1)).toThrow(new ShapeError(short));
});

test("rowsOf and lengthsOf cover every row, padded or not", () => {
  expect(rowsOf({ ids: [1, 2, 3, 4], batchSize: 2 })).toEqual({ starts: [0, 0], ends: [2, 2] });
  expect(lengthsOf({ starts: [0, 3, 1], ends: [3, 3, 3] })).toEqual([3, 0, 2]);
});

test.each([
  [{ ids: [1, 2, 3], batchSize: 2 }, "tokens: 3 ids do not divide into 2 rows of equal length"],
  [
    { ids: [1, 2], batchSize: 2, padding: { starts: [0], ends: [1, 1] } },
    "padding: needs a start and an end for each of 2 rows: got 1 and 2",
  ],
  [
    { ids: [1, 2], batchSize: 2, padding: { starts: [0, 1], ends: [1, 2] } },
    "padding: row 1 needs whole numbers 0 ≤ start ≤ end ≤ 1: got 1 and 2",
  ],
  [
    { ids: [1, 2], batchSize: 1, padding: { starts: [2], ends: [1] } },
    "padding: row 0 needs whole numbers 0 ≤ start ≤ end ≤ 2: got 2 and 1",
  ],
  [
    { ids: [1, 2], batchSize: 1, padding: { starts: [0.5], ends: [1] } },
    "padding: row 0 needs whole numbers 0 ≤ start ≤ end ≤ 2: got 0.5 and 1",
  ],
])("rejects %j", (tokens, message) => {
  expect(() => checkTokens(tokens)).toThrow(new ShapeError(message));
});
