import { expect, test } from "vitest";
import { threadCounts } from "../../../scripts/bench/sections/growth.ts";
import { countParameters, SIZES } from "../../../scripts/bench/sizes.ts";

test.each([
  [1, [1]],
  [2, [1, 2]],
  [3, [1, 2, 3]],
  [8, [1, 2, 4, 8]],
])("up to %d threads", (most, counts) => {
  expect(threadCounts(most)).toEqual(counts);
});

test("the tiny size is microgpt's 4,192 parameters, and LayerNorm's three scales", () => {
  expect(countParameters(SIZES.tiny)).toBe(4192 + 3 * 16);
  expect(countParameters(SIZES.nanogpt)).toBe(804_096);
});
