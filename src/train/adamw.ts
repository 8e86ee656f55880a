/** AdamW (Loshchilov & Hutter 2019): Adam's step, and weight decay apart from the gradient. */
import type { Tensor } from "../autograd/tensor.ts";
import { powerOfInteger } from "../math.ts";
import type { Parameters } from "../nn/parameters.ts";

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

interface Moments {
  readonly first: Tensor;
  readonly second: Tensor;
}

export class AdamW {
  readonly #parameters: Parameters;
  readonly #settings: AdamWSettings;
  readonly #moments: ReadonlyMap<string, Moments>;

  constructor(parameters: Parameters, settings: AdamWSettings) {
    this.#parameters = parameters;
    this.#settings = settings;
    this.#moments = new Map(
      Object.entries(parameters).map(([name, { shape, context }]) => {
        const moments = { first: context.hold(shape), second: context.hold(shape) };
        context.backend.fill(moments.first.span, 0);
        context.backend.fill(moments.second.span, 0);
        return [name, moments];
      }),
    );
  }

  /**
   * Moves every parameter that has a gradient, and clears the gradient.
   *
   * @param update         which update this is, counted from 1
   * @param learningRate   of this update
   * @param gradientScale  multiplies every gradient first: clipping, and the mean over accumulated batches
   */
  step(update: number, learningRate: number, gradientScale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#settings;
    const common = {
      learningRate,
      beta1,
      beta2,
      epsilon,
      gradientScale,
      correction1: 1 - powerOfInteger(beta1, update),
      correction2: 1 - powerOfInteger(beta2, update),
    };
    for (const [name, { first, second }] of this.#moments) {
      const parameter = this.#parameters[name];
      if (parameter.gradient === null) continue;
      const step = { ...common, weightDecay: decays(parameter) ? weightDecay : 0 };
      parameter.context.backend.adamw(parameter.span, parameter.gradient, first.span, second.span, step);
      parameter.storage.clearGradient();
    }
  }

  /** The moments by name, as a checkpoint keeps them: "head.weight.firstMoment" and so on. */
  state(): Parameters {
    return Object.fromEntries(
      [...this.#moments].flatMap(([name, { first, second }]) => [
        [`${name}.firstMoment`, first],
        [`${name}.secondMoment`, second],
      ]),
    );
  }
}

/** Matrices and embeddings are pulled towards 0; biases and norms are not. */
function decays(parameter: Tensor): boolean {
  return parameter.shape.length >= 2;
}

/** The Euclidean norm of all gradients together. */
export async function gradientNorm(parameters: Parameters): Promise<number> {
  const gradients = Object.values(parameters).flatMap(({ gradient }) =>
    gradient === null ? [] : [gradient],
  );
  const [first] = Object.values(parameters);
  const { backend } = first.context;
  const squares = backend.alloc(gradients.length);
  gradients.forEach((gradient, i) => {
    backend.sumOfSquares(squares, i, gradient);
  });
  const sums = await backend.read(squares);
  backend.free(squares);
  let total = 0;
  for (const sum of sums) total += sum;
  return Math.sqrt(total);
}
