/**
 * Analytic gradients equal finite differences, in double precision.
 *
 * The loss of a short text is differentiated twice: by backward, and by moving the weights a little both ways and
 * looking at the loss alone. For every tensor, all its numbers move at once in a random direction, so that none
 * can hide; then single numbers move. The difference is the five-point one of order h⁴,
 *
 *   f′ ≈ (8·(f(+h) − f(−h)) − (f(+2h) − f(−2h))) / 12h
 *
 * A step h is too long where the loss bends sharply (a norm of small numbers) and too short where its digits run out
 * (a derivative of almost 0). So where the first does not agree, shorter ones are tried: a right gradient agrees with one
 * of them, and a wrong one with none.
 */
import type { Tensor } from "../autograd/tensor.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { Random } from "../random.ts";
import { type CheckOptions, type CheckResult, Comparisons, type Subject } from "./check.ts";

const NAME = "gradients and differences";
const STEPS = [1e-3, 1e-4, 1e-5];
/** A wrong formula is off by far more; the difference itself is off by far less. */
const TOLERANCE = 1e-6;
/** Tokens that predict one more each: enough for every part to matter, few for a slow backend. */
const POSITIONS = 5;

/** Numbers of one tensor that move together: those at `at`, each by h times its entry of `by`. */
interface Move {
  readonly what: string;
  readonly at: readonly number[];
  readonly by: readonly number[];
}

interface Derivative {
  readonly what: string;
  readonly analytic: number;
  /** The difference that agrees best. */
  readonly numeric: number;
  readonly error: number;
}

/**
 * @param twin the model on a backend of double precision; its weights are moved, and put back
 */
export async function checkSlopes(twin: Subject, options: CheckOptions): Promise<CheckResult> {
  const { context } = twin;
  const text = textFor(twin, options);
  const loss = () => crossEntropy(twin.forward({ ids: text.inputs, batchSize: 1 }), text.targets);
  const lossNow = () => context.scope("no-grad", () => loss().item());
  const tensors = Object.entries(twin.parameters());
  for (const [, tensor] of tensors) tensor.storage.clearGradient();
  await context.scope("grad", () => context.backward(loss()));
  const gradients = new Map<string, ArrayLike<number>>();
  for (const [name, tensor] of tensors) gradients.set(name, await tensor.grad());
  const greatest = Math.max(...[...gradients.values()].map(rootMeanSquare));

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
 * The error is relative to the greater of the two derivatives, but at least to `floor`, a part of the gradients in the
 * same tensor and in all: a difference has an error of its own, and a derivative far below its neighbors says nothing
 * about itself (a key's bias, whose gradient is 0 in exact arithmetic).
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
      () => `${what}: backward gives a derivative of ${analytic}, the difference of losses ${numeric}`,
    );
  }
  const worst = Math.max(...derivatives.map(({ error }) => error));
  const compared = `${comparisons.count} gradients in ${tensors} tensors, off by ${worst.toExponential(0)}`;
  return comparisons.result(NAME, compared);
}

/** The start of the first text, and what is asked about it: its next tokens, unless the options say otherwise. */
function textFor(
  model: Subject,
  { texts, targetsOf }: CheckOptions,
): { inputs: readonly number[]; targets: readonly number[] } {
  const length = Math.min(POSITIONS, model.config.contextLength);
  if (targetsOf !== undefined) {
    const inputs = texts[0].slice(0, length);
    return { inputs, targets: targetsOf(inputs) };
  }
  const [text, other] = [texts[0], texts[texts.length - 1]];
  // A model of a context of one token has texts of one token: what follows it is taken from another.
  const long = [...text.slice(0, length + 1), ...other];
  return { inputs: long.slice(0, length), targets: long.slice(1, length + 1) };
}

/** All numbers at once in a direction of length 1; one that has a gradient; and any one. */
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

/** The derivative of `f` along a move, by differences. The tensor is as it was afterwards. */
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
