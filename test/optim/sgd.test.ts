/** Plain gradient descent against its one-line formula. */
import { expect, test } from "vitest";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { SGD } from "../../src/optim/sgd.ts";
import { doubleContext } from "../support/contexts.ts";

test("a step is w − learningRate·gradient, gradients add up until zeroGrad, and others stay", async () => {
  const context = doubleContext();
  const [w, unused] = [context.parameter([3], [1, -2, 5]), context.parameter([2], [7, 8])];
  const optimizer = new SGD({ w, unused }, { learningRate: 0.25 });
  // The gradient of Σ w² is 2w.
  const backward = () => context.scope("grad", () => sum(multiply(w, w)).backward());
  await backward();
  optimizer.step();
  expect(Array.from(await w.read())).toEqual([0.5, -1, 2.5]);
  await backward();
  expect(Array.from(await w.grad()), "2·(1, −2, 5) + 2·(0.5, −1, 2.5)").toEqual([3, -6, 15]);
  optimizer.zeroGrad();
  await backward();
  optimizer.step();
  expect(Array.from(await w.read())).toEqual([0.25, -0.5, 1.25]);
  expect(Array.from(await unused.read())).toEqual([7, 8]);
});
