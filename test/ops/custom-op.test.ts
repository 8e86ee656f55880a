import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { customOp } from "../../src/ops/custom-op.ts";
import { divide } from "../../src/ops/divide.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { scale } from "../../src/ops/scale.ts";
import { sum } from "../../src/ops/sum.ts";
import { exp, log } from "../../src/ops/unary.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { countingBackend, doubleContext, inScope } from "../support/contexts.ts";

/** ln(1 + eˣ), whose derivative is eˣ/(1 + eˣ). */
function softplus(x: Tensor): Tensor {
  const one = x.context.constant([], [1]);
  return customOp("softplus", [x], {
    forward: (x) => log(add(exp(x), one)),
    backward: (dy, _, x) => [multiply(dy, divide(exp(x), add(exp(x), one)))],
  });
}

/** a·b, as an op of two inputs. */
function product(a: Tensor, b: Tensor): Tensor {
  return customOp("product", [a, b], {
    forward: multiply,
    backward: (dy, _, a, b) => [multiply(dy, b), multiply(dy, a)],
  });
}

describe("customOp", () => {
  it("has the values and gradients of its definition", async () => {
    await checkOp({
      shapes: [[3, 5]],
      op: softplus,
      textbook: (x) => Block.build([3, 5], (...i) => Math.log(1 + Math.exp(x.at(...i)))),
    });
    await checkOp({
      shapes: [[7], [7]],
      op: product,
      textbook: (a, b) => Block.build([7], (i) => a.at(i) * b.at(i)),
    });
  });

  it("uses the gradient it is given, even if the function has another", async () => {
    const context = doubleContext();
    const x = context.parameter([2], [1, 2]);
    await context.scope("grad", () => {
      const y = customOp("reversed", [x], { forward: (x) => scale(x, 3), backward: (dy) => [scale(dy, -1)] });
      sum(add(y, x)).backward();
    });
    expect(Array.from(await x.grad())).toEqual([0, 0]);
  });

  it("leaves no memory behind, and no gradient where there is null", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const [x, y] = [context.parameter([2], [1, 2]), context.parameter([2], [3, 4])];
    const live = memory.live.size;
    await context.scope("grad", () => {
      const z = customOp("first", [x, y], { forward: add, backward: (dy) => [dy, null] });
      sum(z).backward();
    });
    expect(y.gradient).toBeNull();
    expect(memory.live.size).toBe(live + 1);
  });

  it("refuses a gradient of another shape", async () => {
    await inScope("grad", (context) => {
      const x = context.parameter([2, 3], new Float64Array(6));
      const y = customOp("wrong", [x], { forward: (x) => scale(x, 1), backward: (dy) => [sum(dy, 0)] });
      expect(() => sum(y).backward()).toThrow(
        new ShapeError("wrong: the gradient of input 0 must be (2, 3): got (3)"),
      );
    });
  });
});
