import type { NamedTensors } from "../nn/parameters.ts";

/**
 * Stochastic gradient descent, the simplest optimizer: w ← w − learningRate · gradient.
 *
 * @example
 *   const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
 *   loss.backward();
 *   optimizer.step();
 *   optimizer.zeroGrad();
 */
export class SGD {
  readonly #parameters: NamedTensors;
  readonly #learningRate: number;

  constructor(parameters: NamedTensors, { learningRate }: { readonly learningRate: number }) {
    this.#parameters = parameters;
    this.#learningRate = learningRate;
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    for (const { context, buffer, gradient } of Object.values(this.#parameters)) {
      if (gradient !== null)
        context.backend.scale({ buffer, accumulate: true }, gradient, -this.#learningRate);
    }
  }

  /** Resets all gradients. */
  zeroGrad(): void {
    for (const parameter of Object.values(this.#parameters)) parameter.zeroGrad();
  }
}
