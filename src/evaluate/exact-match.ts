/** Evaluates an encoder–decoder on held-out strings: its loss, and the number of exactly correct answers. */
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { padTokens } from "../nn/inputs/token-batch.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { greedyAnswers } from "../sample/greedy-answers.ts";
import { pairBatch } from "../train/objectives/sequence-to-sequence.ts";
import type { Example } from "../train/objectives/toy-task.ts";
import type { Evaluation } from "./loss.ts";

export interface AnswerEvaluation extends Evaluation {
  readonly method: "held-out strings";
  readonly strings: number;
  /** The number of strings whose greedy answer is correct from the first letter to the end. */
  readonly exact: number;
}

/** Strings per batch. */
const BATCH_SIZE = 64;

/**
 * Loss and exact matches of a model's answers.
 *
 * @param examples at least one
 */
export async function evaluateAnswers(
  model: EncoderDecoder,
  examples: readonly Example[],
): Promise<AnswerEvaluation> {
  let nats = 0;
  let tokens = 0;
  let exact = 0;
  for (let start = 0; start < examples.length; start += BATCH_SIZE) {
    const some = examples.slice(start, start + BATCH_SIZE);
    const { source, inputs, targets, targetCount } = pairBatch(some, model);
    const mean = await model.context.scope("no-grad", () =>
      crossEntropy(model.forward(source, inputs), targets).item(),
    );
    nats += mean * targetCount;
    tokens += targetCount;
    exact += await countExact(model, some);
  }
  return { method: "held-out strings", lossNats: nats / tokens, tokens, strings: examples.length, exact };
}

async function countExact(model: EncoderDecoder, examples: readonly Example[]): Promise<number> {
  const sources = padTokens(
    examples.map(({ source }) => source),
    "right",
  );
  const answers = await greedyAnswers(model, sources);
  return examples.filter(({ answer }, i) => answers[i].ended && same(answers[i].ids, answer)).length;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
