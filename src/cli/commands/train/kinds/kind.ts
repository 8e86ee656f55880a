/** What `nopeek train` needs to know about a kind of model: its objective, its evaluation and its samples. */
import type { Context } from "../../../../autograd/context.ts";
import type { TokenizedText } from "../../../../data/tokenized-corpus.ts";
import type { RunJobs } from "../../../../distributed/jobs.ts";
import type { Evaluation } from "../../../../evaluate/loss.ts";
import { log } from "../../../../math.ts";
import type { RunConfig } from "../../../../run/config.ts";
import type { Objective, Trainable } from "../../../../train/objectives/objective.ts";
import type { Reference } from "../../../terminal/chart.ts";
import type { RunFacts } from "../verdict.ts";

export interface TrainableKind {
  readonly model: Trainable;
  readonly objective: Objective;
  /** Lines that describe the training data. */
  readonly sources: readonly string[];
  /** Number of training tokens; null if they are drawn without end. */
  readonly trainingTokens: number | null;
  /** The sizes that are particular to this kind: "context 64". */
  readonly shapeSummary: string;
  /** A last line of the run's summary; null if there is none. */
  readonly remark: string | null;
  /** Tokens that go through the model in an estimate and in a full evaluation, to predict their time. */
  readonly tokens: { readonly estimate: number; readonly measure: number };
  /** Estimates the validation loss from a few random batches, which run here or on several processes. */
  estimate(runJobs?: RunJobs): Promise<EvaluationReport>;
  /** Evaluates on the validation set: the figure to report. */
  measure(runJobs?: RunJobs): Promise<EvaluationReport>;
  /** A loss on the validation set in bits per UTF-8 byte; null unless a text is predicted token by token. */
  bitsPerByte(lossNats: number): number | null;
  /** What `measure` covers: "the whole validation split". */
  readonly measured: string;
  /** The same for a program: losses are compared only if it is equal. */
  readonly covers: string;
  /** The loss to compare with: the floor if it is known, else the loss of a uniform guess. */
  readonly reference: Reference;
  /** Output of the model to show at the end of a run. */
  show(): Promise<string>;
  /** A shorter version of it, quick enough for every evaluation; shown during training and logged. */
  sample(): Promise<string>;
  /** What the verdict at the end compares the loss with. It may take a second: n-grams are counted. */
  baselines(): Pick<RunFacts, "guessNats" | "frequencyNats" | "ngrams">;
  /** Commands to try next, for a model saved in `folder`, which is quoted for the shell. */
  suggestions(folder: string): readonly string[];
}

/** An evaluation, and the same as text. */
export interface EvaluationReport {
  readonly evaluation: Evaluation;
  readonly text: string;
  /** The right answers, if the model answers strings. */
  readonly answers?: RunFacts["answers"];
}

/** The loss of a uniform guess among `choices`. */
export function blindGuess(choices: number): Reference {
  return { name: "blind guess", value: log(choices) };
}

/** Builds the model, its objective and its evaluation. Throws as `checkKind` does. */
export type OpenKind = (
  context: Context,
  config: RunConfig,
  text: TokenizedText | null,
) => Promise<TrainableKind>;
