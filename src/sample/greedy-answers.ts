/** Greedy decoding for an encoder–decoder. */

import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { checkTypes } from "../util/check-types.ts";
import { argmax } from "./candidates.ts";

export interface Answer {
  /** Without [end]. */
  readonly ids: readonly number[];
  /** Whether the model generated [end]; if not, the context was full. */
  readonly ended: boolean;
}

/**
 * The most probable token at each step, for each source of a batch. The encoder and the cross-attention keys and values
 * are computed once; after that each token costs one cached decoder position.
 *
 * @throws ShapeError if a source is longer than the context
 * @example
 * const [{ ids }] = await greedyAnswers(model, padTokens([[1, 0, 3]], "right"));
 */
export function greedyAnswers(model: EncoderDecoder, source: TokenBatch): Promise<Answer[]> {
  checkTypes("greedyAnswers", { model, source }, { model: ["encode", "decode"], source: "object" });
  const { context, config, startId, endId } = model;
  const { batchSize } = source;
  return context.scope("no-grad", async () => {
    const encoderOutput = model.project(model.encode(source));
    const cache = model.makeCache(batchSize);
    const answers = Array.from({ length: batchSize }, () => ({ ids: [] as number[], ended: false }));
    try {
      let newest = new Array<number>(batchSize).fill(startId);
      while (cache.length < config.contextLength && answers.some(({ ended }) => !ended)) {
        const logits = await model
          .decode({ ids: newest, batchSize }, encoderOutput, { cache, random: null })
          .read();
        newest = answers.map((_, b) => argmax(logits.subarray(b * (endId + 1), (b + 1) * (endId + 1))));
        // A finished row is still computed with the others, but its tokens are ignored.
        answers.forEach((answer, b) => {
          if (newest[b] === endId) answer.ended = true;
          else if (!answer.ended) answer.ids.push(newest[b]);
        });
      }
      return answers;
    } finally {
      cache.free();
    }
  });
}
