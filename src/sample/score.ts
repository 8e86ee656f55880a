/** Scoring: how probable a model finds texts that are there already, many unequal ones in one padded pass. */
import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { padTokens, rowsOf } from "../nn/inputs/token-batch.ts";
import { checkIds } from "../ops/embedding.ts";
import { logSoftmax } from "../ops/log-softmax.ts";

/** What a model thinks of one sequence. */
export interface Score {
  /** log p(token t | tokens before it) in nats, for each token but the first, which nothing comes before. */
  readonly logProbabilities: Float64Array;
  /** Their sum. */
  readonly total: number;
}

/**
 * Scores sequences of any lengths, side by side. The numbers of one are those that it has alone, to the bit.
 *
 * @param sequences token ids, each 1 to contextLength of them
 * @throws SampleError when a sequence is empty or longer than the context
 * @throws TokenError when an id is outside the vocabulary
 */
export async function scoreSequences(model: GPT, sequences: readonly ArrayLike<number>[]): Promise<Score[]> {
  const { contextLength, vocabSize } = model.config;
  sequences.forEach((ids, i) => {
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
