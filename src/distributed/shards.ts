/**
 * The parameters of a model shared out among ranks: each rank updates some of them, whole tensors, and so keeps the
 * optimizer's state of those alone. Source: Rajbhandari et al., "ZeRO", 2020, stage 1.
 *
 * A rank receives the summed gradient of the parameters that it updates, and sends their new values to all: the same
 * messages as without shards, where every rank receives the whole gradient.
 */
import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer } from "../backend/backend.ts";
import type { Communicator } from "./communicator.ts";
import { ownersOf } from "./owners.ts";
import { gatherFromOwners, type Shares, sumAtOwners } from "./sum-across-ranks.ts";

export interface Tensors {
  readonly [name: string]: Tensor;
}

export class Shards {
  readonly #communicator: Communicator;
  readonly #names: readonly string[];
  readonly #tensors: readonly Tensor[];
  /** The rank that updates each parameter. */
  readonly #owners: readonly number[];

  constructor(communicator: Communicator, parameters: Tensors) {
    this.#communicator = communicator;
    this.#names = Object.keys(parameters);
    this.#tensors = Object.values(parameters);
    this.#owners = ownersOf(
      this.#tensors.map(({ size }) => size),
      communicator.size,
    );
  }

  /** The parameters that this rank updates. */
  get own(): Tensors {
    const { rank } = this.#communicator;
    const all = this.#names.map((name, i) => [name, this.#tensors[i]] as const);
    return Object.fromEntries(all.filter((_, i) => this.#owners[i] === rank));
  }

  /** Whether no rank updates more than 4/3 of its share of the numbers. All messages are as long as the longest share. */
  get areEven(): boolean {
    const { size } = this.#communicator;
    const loads = Array.from({ length: size }, () => 0);
    for (const [i, owner] of this.#owners.entries()) loads[owner] += this.#tensors[i].size;
    const total = loads.reduce((sum, load) => sum + load, 0);
    return loads.every((load) => load * size * 3 <= total * 4);
  }

  /** The rank that updates a parameter. */
  ownerOf(name: string): number {
    return this.#owners[this.#names.indexOf(name)];
  }

  /** Adds the gradients of all ranks. Each rank then has the sums for its own parameters; those of the others are stale. */
  async sumGradients(): Promise<void> {
    await sumAtOwners(
      this.#communicator,
      this.#tensors[0].context.backend,
      this.#shares(({ gradient }) => gradient),
    );
  }

  /** Copies the values of the parameters from the ranks that updated them to all. */
  async gatherValues(): Promise<void> {
    await gatherFromOwners(
      this.#communicator,
      this.#tensors[0].context.backend,
      this.#shares(({ buffer }) => buffer),
    );
  }

  /** One number for each parameter, from those that each rank has for its own. */
  async gatherNumbers(own: readonly number[]): Promise<number[]> {
    const { rank, size } = this.#communicator;
    const count = this.#owners.length;
    const mine = new Float64Array(count);
    const left = [...own];
    for (const [i, owner] of this.#owners.entries()) if (owner === rank) mine[i] = left.shift() ?? 0;
    const all = new Float64Array(size * count);
    await this.#communicator.gather(mine, all);
    return this.#owners.map((owner, i) => all[owner * count + i]);
  }

  #shares(bufferOf: (parameter: Tensor) => Buffer | null): Shares {
    return Array.from({ length: this.#communicator.size }, (_, rank) =>
      this.#tensors.flatMap((tensor, i) => {
        const buffer = this.#owners[i] === rank ? bufferOf(tensor) : null;
        return buffer === null ? [] : [{ buffer, offset: 0, length: buffer.length }];
      }),
    );
  }
}
