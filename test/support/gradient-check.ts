/**
 * Checks gradients against finite differences, in double precision.
 *
 * A tensor-valued function f is contracted with a fixed random cotangent c to the scalar Σ c ⊙ f(x), so every element
 * of the output contributes with a different weight. Backward computes the derivative of that scalar; the finite
 * difference measures it from forward values alone.
 *
 * The difference is the five-point formula of order h⁴,
 *
 *   f′(x) ≈ (8·(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h        with h = 10⁻³
 *
 * whose truncation error (h⁴·f⁽⁵⁾/30 ≈ 10⁻¹³) and rounding error (2⁻⁵³·|f|/h ≈ 10⁻¹³) are both small.
 */
import { expect } from "vitest";
import type { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";

export interface GradientReport {
  /** The largest relative error of any element. */
  readonly worst: number;
  /** The position of that element, with both numbers. */
  readonly where: string;
}

/**
 * Runs `f` forward and backward once, and compares the gradient of each parameter with finite differences.
 *
 * The relative error of an element is |analytic − numeric| / max(|analytic|, |numeric|, floor). The floor is needed
 * because a finite difference has an absolute error of about 10⁻¹² for any derivative, so an element far below its
 * neighbors (such as a key's bias, whose gradient is 0 in exact arithmetic) cannot be checked alone. The floor is a
 * thousandth of the largest gradient in the same tensor, and at least 10⁻⁵ of the largest overall. A wrong
 * formula has an error far above a millionth of either.
 *
 * @param parameters by name, on a double-precision backend; backward leaves its gradients in them
 * @param f          returns a tensor of any shape; called in a new scope for each evaluation
 */
export async function gradientError(
  context: Context,
  parameters: Readonly<Record<string, Tensor>>,
  f: () => Tensor,
): Promise<GradientReport> {
  for (const tensor of Object.values(parameters)) tensor.storage.clearGradient();
  const cotangent = await backwardWithCotangent(context, f);
  const contracted = () =>
    context.scope("no-grad", async () => {
      const values = await f().read();
      return cotangent.reduce((total, c, i) => total + c * values[i], 0);
    });

  const found: { name: string; analytic: ArrayLike<number>; numeric: Float64Array; greatest: number }[] = [];
  for (const [name, tensor] of Object.entries(parameters)) {
    const analytic = await tensor.grad();
    const numeric = await finiteDifferences(tensor, contracted);
    found.push({ name, analytic, numeric, greatest: greatestOf(analytic, numeric) });
  }
  const greatest = Math.max(0, ...found.map((entry) => entry.greatest));

  let report: GradientReport = { worst: 0, where: "nowhere" };
  for (const { name, analytic, numeric, greatest: own } of found) {
    const floor = Math.max(1e-3 * own, 1e-5 * greatest, Number.MIN_VALUE);
    numeric.forEach((n, i) => {
      const a = analytic[i];
      const error = Math.abs(a - n) / Math.max(Math.abs(a), Math.abs(n), floor);
      // NaN counts as the largest error; no comparison would detect it.
      if (!(error <= report.worst)) {
        report = {
          worst: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error,
          where: `${name}[${i}]: backward ${a}, difference ${n}`,
        };
      }
    });
  }
  return report;
}

/**
 * Expects every tensor to have a nonzero gradient from the last backward pass, except those whose names end in `idle`:
 * a key's bias adds the same amount to all scores of a query, which the softmax ignores.
 */
export async function expectAllReached(
  parameters: Readonly<Record<string, Tensor>>,
  idle: string | null,
): Promise<void> {
  for (const [name, tensor] of Object.entries(parameters)) {
    const gradient = await tensor.grad();
    const reached = gradient.some((g) => Math.abs(g) > 1e-6);
    expect(reached, name).toBe(idle === null || !name.endsWith(idle));
  }
}

/** Runs backward for Σ c ⊙ f, and returns c. */
export function backwardWithCotangent(context: Context, f: () => Tensor): Promise<Float64Array> {
  return context.scope("grad", () => {
    const y = f();
    const random = Random.of(11, "cotangent");
    const cotangent = Float64Array.from({ length: y.size }, () => random.normal());
    context.backward(sum(multiply(y, context.constant(y.shape, cotangent))));
    return cotangent;
  });
}

async function finiteDifferences(tensor: Tensor, f: () => Promise<number>): Promise<Float64Array> {
  const h = 1e-3;
  const { backend } = tensor.context;
  const values = await tensor.read();
  const derivatives = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const at = async (x: number) => {
      backend.write(tensor.buffer, [x], i);
      return f();
    };
    const x = values[i];
    const near = (await at(x + h)) - (await at(x - h));
    const far = (await at(x + 2 * h)) - (await at(x - 2 * h));
    derivatives[i] = (8 * near - far) / (12 * h);
    backend.write(tensor.buffer, [x], i);
  }
  return derivatives;
}

function greatestOf(...lists: readonly ArrayLike<number>[]): number {
  return Math.max(0, ...lists.flatMap((list) => Array.from(list, Math.abs)));
}
