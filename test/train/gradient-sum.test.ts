import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { add } from "../../src/ops/add.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { GradientSum } from "../../src/train/gradient-sum.ts";

function countingBackend() {
  const backend = new ReferenceBackend();
  const count = { alive: 0 };
  const [alloc, free] = [backend.alloc.bind(backend), backend.free.bind(backend)];
  backend.alloc = (length) => {
    count.alive++;
    return alloc(length);
  };
  backend.free = (buffer) => {
    count.alive--;
    free(buffer);
  };
  return { backend, count };
}

/** A weight of one number, whose gradient in a part is that part's factor. */
function makeSum() {
  const { backend, count } = countingBackend();
  const context = new Context(backend);
  const parameters = { weight: context.parameter([1], [3]), unused: context.parameter([2], [1, 2]) };
  const gradient = new GradientSum(parameters);
  const addPart = async (factor: number) => {
    await context.scope("grad", () => {
      sum(multiply(parameters.weight, context.constant([1], [factor]))).backward();
    });
    gradient.addPart();
  };
  return { parameters, gradient, addPart, count };
}

describe("the gradients of a step's parts", () => {
  it("are added in the order of the tree, not one after the other", async () => {
    const { parameters, gradient, addPart } = makeSum();
    // 2²⁴ + 1 rounds to 2²⁴ in single precision, so one after the other the ones would be lost.
    for (const factor of [2 ** 24, 0, 1, 1]) await addPart(factor);
    gradient.finish();
    expect(await parameters.weight.grad()).toEqual(Float32Array.of(2 ** 24 + 2));
  });

  it("leave out what no part depends on", async () => {
    const { parameters, gradient, addPart } = makeSum();
    for (const factor of [1, 2, 3]) await addPart(factor);
    gradient.finish();
    expect(parameters.weight.gradient).not.toBeNull();
    expect(parameters.unused.gradient).toBeNull();
  });

  it("use the memory of log₂ of their number plus one, and none of it is lost when a step is given up", async () => {
    const { gradient, addPart, count } = makeSum();
    const before = count.alive;
    for (let part = 0; part < 7; part++) await addPart(1);
    expect(count.alive - before).toBe(3);
    gradient.clear();
    expect(count.alive).toBe(before);
    await addPart(5);
    gradient.finish();
    expect(count.alive - before).toBe(1);
  });

  it("do not share memory, where two parameters have the same gradient", async () => {
    const context = new Context(new ReferenceBackend());
    const parameters = { a: context.parameter([1], [3]), b: context.parameter([1], [4]) };
    const gradient = new GradientSum(parameters);
    for (const factor of [1, 2]) {
      await context.scope("grad", () => {
        const both = add(parameters.a, parameters.b);
        sum(multiply(both, context.constant([1], [factor]))).backward();
      });
      gradient.addPart();
    }
    gradient.finish();
    expect(await parameters.a.grad()).toEqual(Float32Array.of(3));
    expect(await parameters.b.grad()).toEqual(Float32Array.of(3));
  });
});
