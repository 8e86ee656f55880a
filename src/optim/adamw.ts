/** AdamW (Loshchilov & Hutter 2019): Adam's step, and weight decay apart from the gradient. */
import type { Tensor } from "../autograd/tensor.ts";
import type { AdamWTarget, Buffer } from "../backend/backend.ts";
import { powerOfInteger } from "../math.ts";
import type { NamedTensors } from "../nn/parameters.ts";

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** A parameter and what its steps leave behind. */
interface Trained {
  readonly name: string;
  readonly parameter: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

export class AdamW {
  readonly #settings: AdamWSettings;
  readonly #trained: readonly Trained[];

  constructor(parameters: NamedTensors, settings: AdamWSettings) {
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
   * Moves every parameter that has a gradient, and clears the gradient.
   *
   * @param update         which update this is, counted from 1
   * @param learningRate   of this update
   * @param gradientScale  multiplies every gradient first: clipping, and the mean over accumulated batches
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
      // Nothing is zeroed: the next backward pass replaces what is there.
      parameter.storage.clearGradient();
    }
    // One call for all of them: there are many, and some are small.
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

  /** The moments by name, as a checkpoint keeps them: "head.weight.firstMoment" and so on. */
  state(): NamedTensors {
    return Object.fromEntries(
      this.#trained.flatMap(({ name, first, second }) => [
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
export async function gradientNorm(parameters: NamedTensors): Promise<number> {
  const tensors = Object.values(parameters);
  const gradients: Buffer[] = [];
  for (const { gradient } of tensors) if (gradient !== null) gradients.push(gradient);
  const { backend } = tensors[0].context;
  const squares = backend.alloc(gradients.length);
  backend.sumsOfSquares(squares, gradients);
  const sums = await backend.read(squares);
  backend.free(squares);
  let total = 0;
  for (const sum of sums) total += sum;
  return Math.sqrt(total);
}
