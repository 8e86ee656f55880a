/** Writing an answer to a source: the most probable token, again and again. */
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { argmax } from "./candidates.ts";

export interface Answer {
  /** Without [end]. */
  readonly ids: readonly number[];
  /** Whether the model ended it; if not, there was no room for more. */
  readonly ended: boolean;
}

/**
 * The answer to each source of a batch. The encoder runs once, and so do the keys and values of its states; then each
 * token costs one position of the decoder, over a cache.
 *
 * @throws ShapeError when a source is longer than the context
 */
export function greedyAnswers(model: EncoderDecoder, source: TokenBatch): Promise<Answer[]> {
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
        // A row that has ended is still computed, beside those that have not; nobody listens.
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
