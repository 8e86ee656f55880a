/**
 * Autograd by hand: the line y = a·x + b that fits five points best, by walking down the derivative of its squared error.
 *
 *   npx tsx docs/examples/autograd.ts
 */
import { Context, openDoubleBackend, type Tensor } from "nopeek";
import { add, mean, multiply, subtract } from "nopeek/ops";

const xs = [0, 1, 2, 3, 4];
const ys = [1, 3, 5, 7, 9]; // On a line: a = 2, b = 1.
const stepSize = 0.1;

const backend = await openDoubleBackend();
const context = new Context(backend);
const a = context.parameter([], [0]);
const b = context.parameter([], [0]);

/** The mean of (a·x + b − y)²: ops run as they are called, and the tape remembers them. */
function squaredError(): Tensor {
  const x = context.constant([xs.length], xs);
  const y = context.constant([ys.length], ys);
  const error = subtract(add(multiply(a, x), b), y);
  return mean(multiply(error, error));
}

/** One step against the gradient. */
async function descend(parameter: Tensor): Promise<number> {
  const [derivative] = await parameter.readGradient();
  backend.write(parameter.buffer, [(await parameter.item()) - stepSize * derivative]);
  parameter.storage.clearGradient();
  return derivative;
}

for (let step = 1; step <= 200; step++) {
  // What a scope makes is freed when it closes; parameters stay.
  const error = await context.scope("grad", async () => {
    const loss = squaredError();
    context.backward(loss);
    return loss.item();
  });
  const derivatives = [await descend(a), await descend(b)];
  if (step === 1) console.log(`error ${error}, derivatives ${derivatives.join(" and ")}`);
}
console.log(`y = ${(await a.item()).toFixed(4)}·x + ${(await b.item()).toFixed(4)}`);
await backend.close();
