/** Evaluates an encoder–decoder on held-out strings: its loss, and the number of exactly correct answers. */
import { type RunJobs, runHere } from "../distributed/jobs.ts";
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { padTokens } from "../nn/inputs/token-batch.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { greedyAnswers } from "../sample/greedy-answers.ts";
import { pairBatch } from "../train/objectives/sequence-to-sequence.ts";
import type { Example } from "../train/objectives/toy-task.ts";
import { type Evaluation, sum } from "./loss.ts";

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
 * @param runJobs  runs the batches, here or on several processes
 */
export async function evaluateAnswers(
  model: EncoderDecoder,
  examples: readonly Example[],
  runJobs: RunJobs = runHere,
): Promise<AnswerEvaluation> {
  const batches = Array.from({ length: Math.ceil(examples.length / BATCH_SIZE) }, (_, i) =>
    examples.slice(i * BATCH_SIZE, (i + 1) * BATCH_SIZE),
  );
  const nats = await runJobs(batches.map((batch) => () => lossOf(model, batch)));
  const exact = await runJobs(batches.map((batch) => () => countExact(model, batch)));
  const tokens = sum(batches.map((batch) => pairBatch(batch, model).targetCount));
  return {
    method: "held-out strings",
    lossNats: sum(nats) / tokens,
    tokens,
    strings: examples.length,
    exact: sum(exact),
  };
}

/** Summed nats of all targets. */
async function lossOf(model: EncoderDecoder, examples: readonly Example[]): Promise<number> {
  const { source, inputs, targets, targetCount } = pairBatch(examples, model);
  const mean = await model.context.scope("no-grad", () =>
    crossEntropy(model.forward(source, inputs), targets).item(),
  );
  return mean * targetCount;
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
