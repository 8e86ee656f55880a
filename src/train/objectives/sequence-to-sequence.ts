/**
 * The encoder–decoder's objective: predict the answer to a source, token by token. With teacher forcing, the decoder
 * reads [start] and the true answer, and predicts the answer and [end].
 *
 *   source          b a d
 *   decoder reads   [start] d a b
 *   and predicts    d       a b [end]
 *
 * Sources and answers differ in length. Shorter ones are padded, and padding has no target.
 */

import type { Tensor } from "../../autograd/tensor.ts";
import type { EncoderDecoder } from "../../nn/encoder-decoder.ts";
import { padLike, padTokens, type TokenBatch } from "../../nn/inputs/token-batch.ts";
import { crossEntropy, IGNORED } from "../../ops/cross-entropy.ts";
import { Random } from "../../random.ts";
import { checkTypes } from "../../util/check-types.ts";
import type { Objective } from "./objective.ts";
import type { Example, ToyTask } from "./toy-task.ts";

export interface PairBatch {
  readonly source: TokenBatch;
  /** The decoder's input. */
  readonly inputs: TokenBatch;
  /** The true next token at each position; IGNORED for padding. */
  readonly targets: Int32Array;
  /** The number of targets without padding. */
  readonly targetCount: number;
}

/** Pads examples into one batch. */
export function pairBatch(
  examples: readonly Example[],
  { startId, endId }: { readonly startId: number; readonly endId: number },
): PairBatch {
  const source = padTokens(
    examples.map((example) => example.source),
    "right",
  );
  const inputs = padTokens(
    examples.map(({ answer }) => [startId, ...answer]),
    "right",
  );
  const rows = examples.map(({ answer }) => [...answer, endId]);
  const targetCount = rows.reduce((count, row) => count + row.length, 0);
  return { source, inputs, targets: padLike(inputs, rows, IGNORED), targetCount };
}

/**
 * Prediction of answers for an encoder–decoder.
 *
 * @example
 * const task = new ToyTask({ task: "sort", alphabetSize: 10, minLength: 3, maxLength: 10, seed: 1337 });
 * const objective = new SequenceToSequence(model, task, 32);
 */
export class SequenceToSequence implements Objective {
  readonly tokensPerBatch: number;
  readonly #model: EncoderDecoder;
  readonly #task: ToyTask;
  readonly #batchSize: number;

  constructor(model: EncoderDecoder, task: ToyTask, batchSize: number) {
    checkTypes(
      "SequenceToSequence",
      { model, task, batchSize },
      { model: ["forward"], task: ["settings", "draw"], batchSize: "number" },
    );
    const { minLength, maxLength } = task.settings;
    // The decoder's input, [start] and the answer, on average.
    this.tokensPerBatch = batchSize * ((minLength + maxLength) / 2 + 1);
    this.#model = model;
    this.#task = task;
    this.#batchSize = batchSize;
  }

  /** The batch of a step. Its strings are a function of seed, step and part; see `Objective`. */
  batch(step: number, part: number): PairBatch {
    const random = Random.of(this.#task.settings.seed, "strings", step, part);
    const examples = Array.from({ length: this.#batchSize }, () => this.#task.draw("training", random));
    return pairBatch(examples, this.#model);
  }

  targetCount(step: number, part: number): number {
    return this.batch(step, part).targetCount;
  }

  loss(step: number, part: number, random: Random | null): Tensor {
    const { source, inputs, targets } = this.batch(step, part);
    return crossEntropy(this.#model.forward(source, inputs, { cache: null, random }), targets);
  }

  describeBatch(step: number, part: number): string {
    const { ids, padding } = this.batch(step, part).source;
    const first = Array.from(ids).slice(0, padding?.ends[0]);
    return `${this.#batchSize} strings, the first with tokens ${first.join(" ")}`;
  }
}
