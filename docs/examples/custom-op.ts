/**
 * A custom op: softplus, y = ln(1 + eˣ), with the derivative written by hand and checked against a difference.
 *
 *   npx tsx docs/examples/custom-op.ts
 */
import { Context, openDoubleBackend, type Tensor } from "nopeek";
import { add, customOp, divide, exp, log, multiply, sum } from "nopeek/ops";

/**
 * y = ln(1 + eˣ), dx = dy ⊙ eˣ/(1 + eˣ).
 *
 * `forward` and `backward` are written with other ops. `backward` gets dy, y and the inputs, and returns a gradient for
 * each input, or null.
 */
function softplus(x: Tensor): Tensor {
  const one = x.context.constant([], [1]);
  return customOp("softplus", [x], {
    forward: (x) => log(add(one, exp(x))),
    backward: (dy, _y, x) => [multiply(dy, divide(exp(x), add(one, exp(x))))],
  });
}

const backend = await openDoubleBackend();
const context = new Context(backend);
const x = context.parameter([3], [-1, 0, 2]);
await context.scope("grad", () => sum(softplus(x)).backward());
const gradient = await x.grad();

/** softplus of one plain number. */
const valueAt = (number: number) => context.noGrad(() => softplus(context.constant([], [number])).item());

const h = 1e-5;
for (const [i, number] of (await x.read()).entries()) {
  const difference = ((await valueAt(number + h)) - (await valueAt(number - h))) / (2 * h);
  console.log(`x = ${number}: backward ${gradient[i].toFixed(8)}, difference ${difference.toFixed(8)}`);
}
await backend.close();
