/** Every op that users can import has an example in its doc comment, and the examples are true. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { openDoubleBackend } from "../../src/backend/open.ts";
import * as ops from "../../src/ops/index.ts";
import { Random } from "../../src/random.ts";

interface Example {
  readonly call: string;
  readonly inputs: string;
  readonly result: string;
}

const folder = new URL("../../src/ops/", import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.endsWith(".ts"))
  .flatMap((name) => readFileSync(new URL(name, folder), "utf8").split("\n"))
  .flatMap((line): Example[] => {
    const [, call, inputs, result] = /^ \*\s+(?:@example )?(\w+\(.*\)) \/\/ (.*) → (.*)$/.exec(line) ?? [];
    return call === undefined ? [] : [{ call, inputs, result }];
  });

test("every op has an example", () => {
  const functions = Object.entries(ops).flatMap(([name, op]) => (typeof op === "function" ? [name] : []));
  const called = new Set(examples.map(({ call }) => call.slice(0, call.indexOf("("))));
  expect(functions.filter((name) => !called.has(name))).toEqual([]);
});

test.each(examples)("$call // $inputs → $result", async ({ call, inputs, result }) => {
  const context = new Context(await openDoubleBackend());
  await context.scope("no-grad", async () => {
    const tensors = inputs.includes("[") ? ofValues(context, call, inputs) : ofShapes(context, inputs);
    const scope = { ...ops, Random, ...tensors };
    const y: Tensor = new Function(...Object.keys(scope), `return ${call}`)(...Object.values(scope));
    if (result.startsWith("(")) expect(`(${y.shape.join(", ")})`).toBe(result);
    else {
      const values = await y.read();
      const expected = [JSON.parse(result)].flat(2);
      expect(values).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 3);
    }
  });
  context.close();
});

/** "[[1, 2], [3, 4]]", for the tensor that the call names. */
function ofValues(context: Context, call: string, inputs: string): Record<string, Tensor> {
  const [, name] = /[[(](\w+)[\]),]/.exec(call) ?? [];
  const rows: number[] | number[][] = JSON.parse(inputs);
  const shape = typeof rows[0] === "number" ? [rows.length] : [rows.length, rows[0].length];
  return { [name]: context.constant(shape, rows.flat()) };
}

/** "x (2, 3), bias (3)", or "q, k, v (1, 3, 8)" for several of one shape. */
function ofShapes(context: Context, inputs: string): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [, names, sizes] of inputs.matchAll(/([a-z][\w, ]*?) \(([\d, ]*)\)/gi)) {
    const shape = sizes.split(", ").map(Number);
    const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 1 + (i % 3));
    for (const name of names.split(", ")) tensors[name] = context.constant(shape, values);
  }
  return tensors;
}
