/**
 * A running average of the weights over recent updates. The trained weights jitter around a minimum of the loss, and
 * their average usually has a lower loss than any of them.
 *
 *   average ← average + (w − average) / min(k, N)        after update k = 1, 2, …
 *
 * Up to update N this is the mean of all weights so far. After that it is an exponential average in which the weights
 * of N updates ago count 1/e as much as the newest. Sources: Polyak & Juditsky 1992; Izmailov et al. 2018.
 */
import type { Tensor } from "../autograd/tensor.ts";
import type { NamedTensors } from "../nn/parameters.ts";

export class WeightAverage {
  readonly #horizon: number;
  readonly #pairs: ReadonlyMap<string, { readonly weights: Tensor; readonly average: Tensor }>;

  /** @param horizon N in the formula above, at least 1 */
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

  /** Adds the current weights. @param update the number of completed updates, from 1 */
  add(update: number): void {
    const share = 1 / Math.min(update, this.#horizon);
    for (const { weights, average } of this.#pairs.values()) {
      const { backend } = average.context;
      backend.scale(average.target, average.buffer, 1 - share);
      backend.scale({ buffer: average.buffer, accumulate: true }, weights.buffer, share);
    }
  }

  /** Swaps the model's weights with their average. A second call restores both, bit for bit. */
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
   * The tensors for a checkpoint in addition to the model's, by name. Call it while the two are swapped: then the model
   * holds the averaged weights for inference, and this holds the trained weights for resuming.
   */
  state(): NamedTensors {
    return Object.fromEntries([...this.#pairs].map(([name, { average }]) => [`${name}.trained`, average]));
  }
}

function copy(to: Tensor, from: Tensor): void {
  to.context.backend.scale(to.target, from.buffer, 1);
}
