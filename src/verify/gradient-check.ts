/**
 * Analytic gradients equal finite differences, in double precision.
 *
 * The derivative of the loss of a short text is computed twice: by `backward`, and from the loss after small changes of
 * the weights in both directions. For each tensor, all of its numbers move at once in a random direction, so that every
 * number is covered; then single numbers move. The difference is the five-point stencil of order h⁴,
 *
 *   f′ ≈ (8·(f(+h) − f(−h)) − (f(+2h) − f(−2h))) / 12h
 *
 * A step h can be too long, where the loss curves sharply (a norm of small numbers), or too short, where rounding
 * errors dominate (a derivative of almost 0). If the first step does not agree, smaller ones are tried: a correct
 * gradient agrees with one of them, a wrong one with none.
 */

import type { Tensor } from "../autograd/tensor.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { Random } from "../random.ts";
import { largestOf } from "../util/extremes.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons } from "./check.ts";

const NAME = "gradient check";
const STEPS = [1e-3, 1e-4, 1e-5];
/** A wrong formula has a far larger error; the finite difference itself has a far smaller one. */
const TOLERANCE = 1e-6;
/** Number of tokens: enough for every part of the model to matter, few enough for a slow backend. */
const POSITIONS = 5;

/** Numbers of one tensor that move together: index `at[k]` moves by h·`by[k]`. */
interface Move {
  readonly what: string;
  readonly at: readonly number[];
  readonly by: readonly number[];
}

interface Derivative {
  readonly what: string;
  readonly analytic: number;
  /** The finite difference that agrees best. */
  readonly numeric: number;
  readonly error: number;
}

/**
 * Compares analytic gradients with finite differences.
 *
 * @param twin the model in double precision; its weights change during the check and are restored
 */
export async function checkGradients(twin: CheckedModel, options: CheckOptions): Promise<CheckResult> {
  const { context } = twin;
  const text = textFor(twin, options);
  const loss = () => crossEntropy(twin.forward({ ids: text.inputs, batchSize: 1 }), text.targets);
  const lossNow = () => context.scope("no-grad", () => loss().item());
  const tensors = Object.entries(twin.parameters());
  for (const [, tensor] of tensors) tensor.storage.clearGradient();
  await context.scope("grad", () => context.backward(loss()));
  const gradients = new Map<string, ArrayLike<number>>();
  for (const [name, tensor] of tensors) gradients.set(name, await tensor.grad());
  const greatest = largestOf([...gradients.values()].map(rootMeanSquare));

  const derivatives: Derivative[] = [];
  for (const [done, [name, tensor]] of tensors.entries()) {
    const gradient = gradients.get(name) ?? [];
    const floor = Math.max(1e-2 * rootMeanSquare(gradient), 1e-4 * greatest, Number.MIN_VALUE);
    for (const move of movesOf(name, gradient, Random.of(options.seed, "slopes", name))) {
      const analytic = move.at.reduce((total, at, i) => total + gradient[at] * move.by[i], 0);
      derivatives.push(await compare(tensor, move, analytic, floor, lossNow));
    }
    options.onProgress?.((done + 1) / tensors.length);
  }
  return judge(derivatives, tensors.length, options);
}

/**
 * The error is relative to the larger of the two derivatives, but at least to `floor`, a fraction of the gradients in
 * this tensor and in all tensors. Finite differences have an error themselves, which dominates a derivative far smaller
 * than the others (such as the bias of the keys, whose exact gradient is 0).
 */
async function compare(
  tensor: Tensor,
  move: Move,
  analytic: number,
  floor: number,
  f: () => Promise<number>,
): Promise<Derivative> {
  let best: Derivative = { what: move.what, analytic, numeric: Number.NaN, error: Number.POSITIVE_INFINITY };
  for (const h of STEPS) {
    const numeric = await derivativeAlong(tensor, move, h, f);
    const error = Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric), floor);
    if (error < best.error) best = { ...best, numeric, error };
    if (best.error <= TOLERANCE) break;
  }
  return best;
}

function judge(derivatives: readonly Derivative[], tensors: number, options: CheckOptions): CheckResult {
  const comparisons = new Comparisons(options);
  for (const { what, analytic, numeric, error } of derivatives) {
    comparisons.expect(
      error <= TOLERANCE,
      () => `${what}: the derivative is ${analytic} by backward, but ${numeric} by finite differences`,
    );
  }
  const worst = largestOf(derivatives.map(({ error }) => error));
  const compared = `${comparisons.count} derivatives, ${tensors} tensors, error ${worst.toExponential(0)}`;
  return comparisons.result(NAME, compared);
}

/** Returns the start of the first text and its targets: the next tokens, unless the options set others. */
function textFor(
  model: CheckedModel,
  { texts, targetsOf }: CheckOptions,
): { inputs: readonly number[]; targets: readonly number[] } {
  const length = Math.min(POSITIONS, model.config.contextLength);
  if (targetsOf !== undefined) {
    const inputs = texts[0].slice(0, length);
    return { inputs, targets: targetsOf(inputs) };
  }
  const [text, other] = [texts[0], texts[texts.length - 1]];
  // With a context of one token, texts have one token, so the target comes from another text.
  const long = [...text.slice(0, length + 1), ...other];
  return { inputs: long.slice(0, length), targets: long.slice(1, length + 1) };
}

/** Moves to test: all numbers in a random direction of length 1, a random number, and one with a nonzero gradient. */
function movesOf(name: string, gradient: ArrayLike<number>, random: Random): Move[] {
  const all = Array.from(gradient, (_, i) => i);
  const signs = all.map(() => (random.uniform() < 0.5 ? -1 : 1) / Math.sqrt(gradient.length));
  const reached = all.filter((i) => gradient[i] !== 0);
  const single = (at: number): Move => ({ what: `${name}[${at}]`, at: [at], by: [1] });
  const singles = [all, reached].filter((from) => from.length > 0);
  return [
    { what: `${name}, all ${all.length} numbers in a random direction`, at: all, by: signs },
    ...singles.map((from) => single(from[random.below(from.length)])),
  ];
}

/** Computes the derivative of `f` along a move by finite differences, then restores the tensor. */
async function derivativeAlong(
  tensor: Tensor,
  move: Move,
  h: number,
  f: () => Promise<number>,
): Promise<number> {
  const { backend } = tensor.context;
  const values = await tensor.read();
  const at = (distance: number) => {
    const moved = values.slice();
    move.at.forEach((i, k) => {
      moved[i] += distance * move.by[k];
    });
    backend.write(tensor.buffer, moved);
    return f();
  };
  const near = (await at(h)) - (await at(-h));
  const far = (await at(2 * h)) - (await at(-2 * h));
  backend.write(tensor.buffer, values);
  return (8 * near - far) / (12 * h);
}

function rootMeanSquare(numbers: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < numbers.length; i++) squares += numbers[i] * numbers[i];
  return Math.sqrt(squares / numbers.length);
}
