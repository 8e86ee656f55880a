/**
 * An average of the weights over the updates of late, beside the weights that are trained. Steps jitter around a
 * valley's floor, and their mean lies deeper than any of them.
 *
 *   average ← average + (w − average) / min(k, N)        after update k = 1, 2, …
 *
 * Up to update N that is the mean of all weights so far; from then on an exponential average in which a weight of N
 * updates ago counts e times less. Sources: Polyak & Juditsky 1992; Izmailov et al. 2018.
 */
import type { Tensor } from "../autograd/tensor.ts";
import type { NamedTensors } from "../nn/parameters.ts";

export class WeightAverage {
  readonly #horizon: number;
  readonly #pairs: ReadonlyMap<string, { readonly weights: Tensor; readonly average: Tensor }>;

  /** @param horizon N above, at least 1 */
  constructor(parameters: NamedTensors, horizon: number) {
    this.#horizon = horizon;
    this.#pairs = new Map(
      Object.entries(parameters).map(([name, weights]) => {
        const average = weights.context.persistent(weights.shape);
        copy(average, weights);
        return [name, { weights, average }];
      }),
    );
  }

  /** @param update which update was made, counted from 1 */
  add(update: number): void {
    const share = 1 / Math.min(update, this.#horizon);
    for (const { weights, average } of this.#pairs.values()) {
      const { backend } = average.context;
      backend.scale(average.target, average.buffer, 1 - share);
      backend.scale({ buffer: average.buffer, accumulate: true }, weights.buffer, share);
    }
  }

  /** The model's weights and their average change places; once more, and all is as it was, to the bit. */
  swap(): void {
    for (const { weights, average } of this.#pairs.values()) {
      const { backend } = weights.context;
      const between = backend.alloc(weights.size);
      backend.scale({ buffer: between, accumulate: false }, weights.buffer, 1);
      copy(weights, average);
      backend.scale(average.target, between, 1);
      backend.free(between);
    }
  }

  /**
   * What a checkpoint keeps beside the model's tensors, by name. It is made while the two are swapped: then the model
   * holds what is to be used, and this the weights from which training goes on.
   */
  state(): NamedTensors {
    return Object.fromEntries([...this.#pairs].map(([name, { average }]) => [`${name}.trained`, average]));
  }
}

function copy(to: Tensor, from: Tensor): void {
  to.context.backend.scale(to.target, from.buffer, 1);
}
