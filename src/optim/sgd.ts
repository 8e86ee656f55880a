import type { NamedTensors } from "../nn/parameters.ts";
import { checkTypes } from "../util/check-types.ts";

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

  constructor(parameters: NamedTensors, settings: { readonly learningRate: number }) {
    checkTypes("SGD", { parameters, settings }, { parameters: "object", settings: "object" });
    checkTypes("SGD", settings, { learningRate: "number" });
    this.#parameters = parameters;
    this.#learningRate = settings.learningRate;
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
