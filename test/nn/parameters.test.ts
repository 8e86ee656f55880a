import { expect, test } from "vitest";
import { countNumbers, joined, parametersOf } from "../../src/nn/parameters.ts";
import { doubleContext } from "../support/contexts.ts";

test("names are prefixed with their part's, keep their order, and leave out what is null", () => {
  const context = doubleContext();
  const [weight, bias, table] = [[2, 3], [5], [7]].map((shape) => context.persistent(shape));
  const linear = { parameters: () => parametersOf({ weight, bias }) };
  const norm = { parameters: () => parametersOf({ weight: table, bias: null }) };
  const parameters = parametersOf({ table, gate: null, mlp: linear, blocks: [norm, linear] });
  expect(Object.entries(parameters)).toEqual([
    ["table", table],
    ["mlp.weight", weight],
    ["mlp.bias", bias],
    ["blocks.0.weight", table],
    ["blocks.1.weight", weight],
    ["blocks.1.bias", bias],
  ]);
  expect(Object.keys(parametersOf({ encoder: joined(norm, linear) }))).toEqual([
    "encoder.weight",
    "encoder.bias",
  ]);
  expect(countNumbers(parametersOf({ linear }))).toBe(11);
  expect(countNumbers({})).toBe(0);
});
