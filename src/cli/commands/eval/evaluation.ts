/** How a model of each kind is evaluated. */
import type { Settings } from "../../../config/settings.ts";
import type { RunJobs } from "../../../distributed/jobs.ts";
import { type AnswerEvaluation, evaluateAnswers } from "../../../evaluate/exact-match.ts";
import { type Evaluation, evaluateSplit } from "../../../evaluate/loss.ts";
import { evaluateMaskedSplit } from "../../../evaluate/masked-loss.ts";
import type { Encoder } from "../../../nn/encoder.ts";
import type { EncoderDecoder } from "../../../nn/encoder-decoder.ts";
import { GPT } from "../../../nn/gpt.ts";
import { ToyTask } from "../../../train/objectives/toy-task.ts";
import { EVALUATED_STRINGS } from "../../shared/answer-report.ts";
import type { Part } from "./part.ts";

/** Evaluates a model that reads a text. */
export function evaluatePart(
  model: GPT | Encoder,
  { ids, range, most }: Part,
  runJobs: RunJobs,
): Promise<Evaluation> {
  return model instanceof GPT
    ? evaluateSplit(model, ids, range, most, runJobs)
    : evaluateMaskedSplit(model, ids, range, most, runJobs);
}

/** Evaluates a seq2seq model, on validation strings. */
export function evaluateStrings(
  model: EncoderDecoder,
  settings: Settings,
  runJobs: RunJobs,
): Promise<AnswerEvaluation> {
  return evaluateAnswers(model, new ToyTask(settings).heldOut(EVALUATED_STRINGS), runJobs);
}
