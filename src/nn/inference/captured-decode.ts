/**
 * One more token for each row of a cache: what generating does most. Its way through the blocks is the same list of
 * kernel calls for every token. All that differs are the channels that enter, where in the cache its keys and values
 * go, and how far it sees; these stand in tensors. So the list is noted once and made again for each token after that,
 * without an op, a tensor or a closure being made.
 *
 * Whether it runs or is repeated, a step has the same bits: both are the model's own forward.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { CapturedCalls } from "../../backend/backend.ts";

export interface StepSizes {
  readonly batchSize: number;
  /** Positions that fit into a row of the cache. */
  readonly capacity: number;
  readonly channels: number;
}

/** Steps that run before one is noted: rows that are chosen anew after every token, as beams are, never repeat. */
const STEPS_BEFORE_NOTING = 1;
/** A list is for so many keys at most, then for twice as many: whether threads share attention depends on it. */
const FIRST_KEY_COUNT = 64;

export class TokenStep {
  /** (B): how many positions stand before the token in its row. */
  readonly places: Tensor;
  /** (B): the same, counted through all rows of the cache: where its keys and values go. */
  readonly slots: Tensor;
  /** (B, 3): what it sees, as `KeyWindow` has it: all before it, and itself. */
  readonly windows: Tensor;
  readonly #context: Context;
  readonly #sizes: StepSizes;
  /** What enters the blocks and what leaves them: (B, 1, C). */
  readonly #input: Tensor;
  readonly #output: Tensor;
  #keyCount: number;
  #count = 0;
  #recording: CapturedCalls | null = null;
  #canBeNoted = true;

  constructor(context: Context, sizes: StepSizes) {
    const { batchSize, channels } = sizes;
    this.#context = context;
    this.#sizes = sizes;
    this.#keyCount = Math.min(FIRST_KEY_COUNT, sizes.capacity);
    this.places = context.persistent([batchSize]);
    this.slots = context.persistent([batchSize]);
    this.windows = context.persistent([batchSize, 3]);
    this.#input = context.persistent([batchSize, 1, channels]);
    this.#output = context.persistent([batchSize, 1, channels]);
  }

  /** How many keys of the cache may take part; those that do not stand in a window are not looked at. */
  get keyCount(): number {
    return this.#keyCount;
  }

  /**
   * @param x       (B, 1, C)
   * @param lengths how many positions each row of the cache has, the token not among them
   * @param blocks  what happens to x, the same in every step; it looks at nothing that changes but this step's tensors
   * @returns       (B, 1, C), until the next step
   */
  run(x: Tensor, lengths: readonly number[], blocks: (x: Tensor) => Tensor): Tensor {
    this.#stand(lengths);
    this.#makeRoom(lengths);
    copy(x, this.#input);
    const whole = () => copy(blocks(this.#input), this.#output);
    if (this.#context.isWatched || !this.#canBeNoted || this.#count++ < STEPS_BEFORE_NOTING) {
      this.#context.freeingAll(whole);
    } else if (this.#recording === null) {
      this.#recording = this.#context.noting(whole);
      this.#canBeNoted = this.#recording !== null;
    } else {
      this.#recording.replay();
    }
    return this.#output;
  }

  /** Gives the memory back. */
  free(): void {
    this.#recording?.free();
    for (const tensor of [this.places, this.slots, this.windows, this.#input, this.#output]) tensor.free();
  }

  /** Sees to it that all keys may take part, which the list so far may not be for. */
  #makeRoom(lengths: readonly number[]): void {
    const needed = 1 + Math.max(...lengths);
    if (needed <= this.#keyCount) return;
    while (this.#keyCount < needed) this.#keyCount *= 2;
    this.#keyCount = Math.min(this.#keyCount, this.#sizes.capacity);
    this.#recording?.free();
    this.#recording = null;
  }

  /** Writes where the tokens stand into the tensors that say so. */
  #stand(lengths: readonly number[]): void {
    const { backend } = this.#context;
    const { capacity } = this.#sizes;
    backend.write(this.places.buffer, lengths);
    backend.write(
      this.slots.buffer,
      lengths.map((length, row) => row * capacity + length),
    );
    backend.write(
      this.windows.buffer,
      lengths.flatMap((length) => [0, length + 1, length]),
    );
  }
}

function copy(from: Tensor, to: Tensor): void {
  const run = (tensor: Tensor) => ({ buffer: tensor.buffer, offset: 0, strides: [1] });
  to.context.backend.copy(run(to), run(from), [to.size], false);
}
