/** Scores existing texts: their log-probabilities under a model, for several texts in one padded pass. */

import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { padTokens, rowsOf } from "../nn/inputs/token-batch.ts";
import { checkIds } from "../ops/embedding.ts";
import { logSoftmax } from "../ops/log-softmax.ts";
import { checkTypes } from "../util/check-types.ts";

/** The log-probability of one sequence. */
export interface Score {
  /** log p(token t | tokens before it) in nats, for each token except the first. */
  readonly logProbabilities: Float64Array;
  /** Their sum. */
  readonly total: number;
}

/**
 * Scores sequences, which may have different lengths. Each result is the same as for that sequence alone, bit for bit.
 *
 * @param sequences the token ids of each sequence, 1 … contextLength of them
 * @throws SampleError if a sequence is empty or longer than the context
 * @throws TokenError if an id is outside the vocabulary
 * @example
 * const [a, b] = await scoreSequences(model, [tokenizer.encode("the king"), tokenizer.encode("king the")]);
 * a.total > b.total; // whether the model finds the first more probable
 */
export async function scoreSequences(model: GPT, sequences: readonly ArrayLike<number>[]): Promise<Score[]> {
  checkTypes("scoreSequences", { model, sequences }, { model: ["config", "forward"], sequences: "array" });
  const { contextLength, vocabSize } = model.config;
  sequences.forEach((ids, i) => {
    checkTypes(`scoreSequences: sequence ${i}`, { ids }, { ids: "numbers" });
    if (ids.length < 1 || ids.length > contextLength) {
      throw new SampleError(
        `score: the model sees 1 to ${contextLength} tokens at a time: sequence ${i} has ${ids.length}`,
      );
    }
    checkIds(`score: sequence ${i}`, ids, 0, vocabSize);
  });
  if (sequences.length === 0) return [];
  const tokens = padTokens(sequences, "right");
  const { starts } = rowsOf(tokens);
  const values = await model.context.scope("no-grad", () => logSoftmax(model.forward(tokens)).read());
  const rowSize = values.length / sequences.length;
  return sequences.map((ids, b) => {
    const logProbabilities = Float64Array.from({ length: ids.length - 1 }, (_, t) => {
      return values[b * rowSize + (starts[b] + t) * vocabSize + ids[t + 1]];
    });
    return { logProbabilities, total: logProbabilities.reduce((sum, value) => sum + value, 0) };
  });
}
