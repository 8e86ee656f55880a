import { expect, it } from "vitest";
import { nearest } from "../../src/util/edit-distance.ts";

it.each([
  ["layer", ["heads", "layers", "steps"], "layers"],
  ["tpo-k", ["top-k", "top-p"], "top-k"],
  ["SEED", ["speed", "seed"], "seed"],
  ["", ["abc", "ab"], "ab"],
])("the nearest word to %j in %j is %j", (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
