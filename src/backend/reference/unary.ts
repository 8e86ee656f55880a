/** Functions of one number, applied to each element, and their derivatives. */
import { erfc, exp, log, tanh } from "../../math.ts";
import type { Buffer, GeluName, UnaryName, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

interface UnaryFunction {
  value(x: number): number;
  /** dy/dx, computed from x or from y = value(x), whichever is cheaper. */
  derivative(x: number, y: number): number;
}

const SQRT_HALF = Math.SQRT1_2;
const ONE_OVER_SQRT_TWO_PI = 0.3989422804014327;
const SQRT_TWO_OVER_PI = 0.7978845608028654;

/** Φ(x), the cumulative normal distribution function. erfc keeps the digits of its left tail. */
const normalBelow = (x: number) => 0.5 * erfc(-x * SQRT_HALF);

/** The inner function of GELU's tanh form: √(2/π)·(x + 0.044715·x³). */
const geluInner = (x: number) => SQRT_TWO_OVER_PI * (x + 0.044715 * x * x * x);

const functions: Record<UnaryName, UnaryFunction> = {
  exp: { value: exp, derivative: (_x, y) => y },
  log: { value: log, derivative: (x) => 1 / x },
  sqrt: { value: Math.sqrt, derivative: (_x, y) => 0.5 / y },
  tanh: { value: tanh, derivative: (_x, y) => 1 - y * y },
  relu: {
    // NaN > 0 is false, but NaN must propagate.
    value: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
    derivative: (x) => (x > 0 ? 1 : 0),
  },
  /** ReLU, squared. So et al. 2021. */
  relu2: {
    value: (x) => (x > 0 || Number.isNaN(x) ? x * x : 0),
    derivative: (x) => (x > 0 ? 2 * x : 0),
  },
  /** x·σ(x), with σ(x) = 1/(1 + e^{−x}). Elfwing, Uchibe & Doya 2017. */
  silu: {
    value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x / (1 + exp(-x))),
    derivative: (x) => {
      const below = 1 / (1 + exp(-x));
      const bump = below * (1 - below);
      return bump === 0 ? below : below + x * bump;
    },
  },
  /** x·Φ(x). Hendrycks & Gimpel 2016. */
  gelu: {
    value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * normalBelow(x)),
    derivative: (x) =>
      Math.abs(x) === Number.POSITIVE_INFINITY
        ? normalBelow(x)
        : normalBelow(x) + x * ONE_OVER_SQRT_TWO_PI * exp(-0.5 * x * x),
  },
  /** ½x·(1 + tanh u(x)), as in GPT-2. Written as x·σ(2u), which keeps the digits of the left tail. */
  "gelu-tanh": {
    value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x / (1 + exp(-2 * geluInner(x)))),
    derivative: (x) => {
      const below = 1 / (1 + exp(-2 * geluInner(x)));
      const derivative = SQRT_TWO_OVER_PI * (1 + 3 * 0.044715 * x * x);
      const bump = below * (1 - below);
      return bump === 0 ? below : below + 2 * x * bump * derivative;
    },
  },
};

/** y = f(x). */
export function unary(name: UnaryName, y: Buffer, x: Buffer): void {
  const { value } = functions[name];
  const [ys, xs] = [numbersOf(y), numbersOf(x)];
  for (let i = 0; i < ys.length; i++) ys[i] = value(xs[i]);
}

/** dx = dy·f′(x). */
export function unaryBackward(name: UnaryName, dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer): void {
  const { derivative } = functions[name];
  const [dys, xs, ys] = [numbersOf(dy), numbersOf(x), numbersOf(y)];
  const put = putInto(dx);
  for (let i = 0; i < dys.length; i++) put(i, dys[i] * derivative(xs[i], ys[i]));
}

/** y = f(x), dydx = f′(x). */
export function geluWithDerivative(name: GeluName, y: Buffer, dydx: Buffer, x: Buffer): void {
  const { value, derivative } = functions[name];
  const [ys, derivatives, xs] = [numbersOf(y), numbersOf(dydx), numbersOf(x)];
  for (let i = 0; i < ys.length; i++) {
    // x is read first, because dydx may be x itself.
    const number = xs[i];
    ys[i] = value(number);
    derivatives[i] = derivative(number, ys[i]);
  }
}
