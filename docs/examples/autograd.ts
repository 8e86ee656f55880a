/**
 * Autograd by hand: the line y = a·x + b that fits five points best, found by gradient descent on its squared error.
 *
 *   npx tsx docs/examples/autograd.ts
 */
import { Context, openDoubleBackend, SGD, type Tensor } from "nopeek";
import { add, mean, multiply, subtract } from "nopeek/ops";

const xs = [0, 1, 2, 3, 4];
const ys = [1, 3, 5, 7, 9]; // On a line: a = 2, b = 1.

const backend = await openDoubleBackend();
const context = new Context(backend);
const a = context.parameter([], [0]);
const b = context.parameter([], [0]);
const optimizer = new SGD({ a, b }, { learningRate: 0.1 });

/** The mean of (a·x + b − y)². Ops run as they are called, and the tape remembers them. */
function squaredError(): Tensor {
  const x = context.constant([xs.length], xs);
  const y = context.constant([ys.length], ys);
  const error = subtract(add(multiply(a, x), b), y);
  return mean(multiply(error, error));
}

for (let step = 1; step <= 200; step++) {
  // Everything made inside a scope is freed when it closes; parameters stay.
  const error = await context.scope("grad", async () => {
    const loss = squaredError();
    loss.backward();
    return loss.item();
  });
  if (step === 1) console.log(`error ${error}, gradients ${await a.grad()} and ${await b.grad()}`);
  optimizer.step();
  optimizer.zeroGrad();
}
console.log(`y = ${(await a.item()).toFixed(4)}·x + ${(await b.item()).toFixed(4)}`);
await backend.close();
