import type { Tensor } from "../autograd/tensor.ts";
import type { AdamWTarget } from "../backend/backend.ts";
import { powerOfInteger } from "../math.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { checkTypes } from "../util/check-types.ts";

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

const adamWTypes = { beta1: "number", beta2: "number", epsilon: "number", weightDecay: "number" } as const;

/** A parameter and the two moments of its gradient. */
interface Trained {
  readonly name: string;
  readonly parameter: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

/**
 * AdamW: Adam with decoupled weight decay. Matrices and embeddings decay; biases and norm weights do not.
 * Source: Loshchilov & Hutter 2019.
 *
 * @example
 * const optimizer = new AdamW(model.parameters(), { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 });
 * // For update 1, 2, …, after computing the gradients:
 * optimizer.step(update, 1e-3, 1);
 */
export class AdamW {
  readonly #settings: AdamWSettings;
  readonly #trained: readonly Trained[];

  constructor(parameters: NamedTensors, settings: AdamWSettings) {
    checkTypes("AdamW", { parameters, settings }, { parameters: "object", settings: "object" });
    checkTypes("AdamW", settings, adamWTypes);
    this.#settings = settings;
    this.#trained = Object.entries(parameters).map(([name, parameter]) => {
      const { shape, context } = parameter;
      const moments = { first: context.persistent(shape), second: context.persistent(shape) };
      context.backend.fill(moments.first.buffer, 0);
      context.backend.fill(moments.second.buffer, 0);
      return { name, parameter, ...moments };
    });
  }

  /**
   * Updates every parameter that has a gradient, and clears the gradient.
   *
   * @param update         the number of this update, from 1
   * @param learningRate   the learning rate of this update
   * @param gradientScale  a factor for all gradients, for clipping and for averaging over accumulated batches
   */
  step(update: number, learningRate: number, gradientScale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#settings;
    const targets: AdamWTarget[] = [];
    for (const { parameter, first, second } of this.#trained) {
      const { gradient, buffer } = parameter;
      if (gradient === null) continue;
      const moments = { moment1: first.buffer, moment2: second.buffer };
      targets.push({
        parameter: buffer,
        gradient,
        ...moments,
        weightDecay: decays(parameter) ? weightDecay : 0,
      });
      // Nothing is zeroed: the next backward pass overwrites the buffer.
      parameter.storage.clearGradient();
    }
    // One call for all parameters, because there are many and some are small.
    this.#trained[0]?.parameter.context.backend.adamw(targets, {
      learningRate,
      beta1,
      beta2,
      epsilon,
      gradientScale,
      correction1: 1 - powerOfInteger(beta1, update),
      correction2: 1 - powerOfInteger(beta2, update),
    });
  }

  /** The moments by name, for a checkpoint: "head.weight.firstMoment" and so on. */
  state(): NamedTensors {
    return Object.fromEntries(
      this.#trained.flatMap(({ name, first, second }) => {
        const [firstName, secondName] = AdamW.stateNames(name);
        return [
          [firstName, first],
          [secondName, second],
        ];
      }),
    );
  }

  /** The names of a parameter's moments. */
  static stateNames(parameter: string): string[] {
    return [`${parameter}.firstMoment`, `${parameter}.secondMoment`];
  }
}

/** Whether weight decay applies: to matrices and embeddings, not to biases and norm weights. */
function decays(parameter: Tensor): boolean {
  return parameter.shape.length >= 2;
}

/** The Euclidean norm of all gradients together. */
export async function gradientNorm(parameters: NamedTensors): Promise<number> {
  return normOf(await squaresOf(parameters));
}

/** For each parameter, the sum of the squares of its gradient; 0 if it has none. */
export async function squaresOf(parameters: NamedTensors): Promise<number[]> {
  const tensors = Object.values(parameters);
  const gradients = tensors.flatMap(({ gradient }) => gradient ?? []);
  if (gradients.length === 0) return tensors.map(() => 0);
  const { backend } = tensors[0].context;
  const squares = backend.alloc(gradients.length);
  backend.sumsOfSquares(squares, gradients);
  const sums = await backend.read(squares);
  backend.free(squares);
  let next = 0;
  return tensors.map(({ gradient }) => (gradient === null ? 0 : sums[next++]));
}

/** The norm of all gradients, from the sums of squares of each. */
export function normOf(squares: readonly number[]): number {
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}
