/**
 * The gradients of a step's parts (gradient accumulation), added in a fixed tree. So parts that different processes
 * compute give the same bits as parts that one process computes.
 */
import type { Storage } from "../autograd/storage.ts";
import type { Buffer } from "../backend/backend.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { TreeSum } from "../util/tree-sum.ts";

/** One for each parameter; null if no part depends on it. */
type Gradients = readonly (Buffer | null)[];

export class GradientSum {
  readonly #storages: readonly Storage[];
  readonly #sum = new TreeSum<Gradients>((earlier, later) => this.#add(earlier, later));

  constructor(parameters: NamedTensors) {
    this.#storages = Object.values(parameters).map(({ storage }) => storage);
  }

  /** Takes over the gradients of the parameters: the next backward pass computes new ones. */
  addPart(): void {
    this.#sum.push(this.#storages.map((storage) => storage.takeGradient()));
  }

  /** Makes the sum the gradient of the parameters, and starts over. */
  finish(): void {
    const sum = this.#sum.take();
    for (const [i, storage] of this.#storages.entries()) storage.setGradient(sum?.[i] ?? null);
  }

  /** Drops the gradients of the parameters, and those taken over. */
  clear(): void {
    for (const gradients of this.#sum.discard())
      for (const [i, gradient] of gradients.entries()) this.#free(gradient, i);
    for (const storage of this.#storages) storage.clearGradient();
  }

  #add(earlier: Gradients, later: Gradients): Gradients {
    return earlier.map((sum, i) => {
      const gradient = later[i];
      if (sum === null || gradient === null) return sum ?? gradient;
      this.#storages[i].context.backend.scale({ buffer: sum, accumulate: true }, gradient, 1);
      this.#free(gradient, i);
      return sum;
    });
  }

  #free(gradient: Buffer | null, i: number): void {
    if (gradient !== null) this.#storages[i].context.backend.free(gradient);
  }
}
