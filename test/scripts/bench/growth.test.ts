import { expect, test } from "vitest";
import { threadCounts } from "../../../scripts/bench/sections/growth.ts";

test.each([
  [1, [1]],
  [2, [1, 2]],
  [3, [1, 2, 3]],
  [8, [1, 2, 4, 8]],
])("measures powers of two up to %d threads", (most, counts) => {
  expect(threadCounts(most)).toEqual(counts);
});
