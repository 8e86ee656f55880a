import { expect, test } from "vitest";
import { countNumbers, named } from "../../src/nn/parameters.ts";
import { doubleContext } from "../support/contexts.ts";

test("names are led by the part's, the order stays, and sizes add up", () => {
  const context = doubleContext();
  const [weight, bias] = [context.persistent([2, 3]), context.persistent([5])];
  const parameters = named("mlp", named("expand", { weight, bias }));
  expect(Object.entries(parameters)).toEqual([
    ["mlp.expand.weight", weight],
    ["mlp.expand.bias", bias],
  ]);
  expect(countNumbers(parameters)).toBe(11);
  expect(countNumbers({})).toBe(0);
});
