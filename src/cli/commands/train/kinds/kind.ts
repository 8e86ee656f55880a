/** What `nopeek train` needs to know of one kind of model: what it learns, how it is measured, what it can show. */
import type { Context } from "../../../../autograd/context.ts";
import type { TokenizedText } from "../../../../data/tokenized-corpus.ts";
import type { Evaluation } from "../../../../evaluate/loss.ts";
import { log } from "../../../../math.ts";
import type { RunConfig } from "../../../../run/config.ts";
import type { Objective, Trainable } from "../../../../train/objectives/objective.ts";
import type { Reference } from "../../../terminal/chart.ts";

export interface TrainableKind {
  readonly model: Trainable;
  readonly objective: Objective;
  /** Lines that say what it learns from. */
  readonly sources: readonly string[];
  /** Tokens to learn from; null where they are drawn without end. */
  readonly learnsFrom: number | null;
  /** What is particular about the sizes of this kind: "context 64". */
  readonly shapeSummary: string;
  /** A last line of the introduction; null where there is nothing to say. */
  readonly remark: string | null;
  /** Tokens that go through the model in a quick estimate, and in the measurement at the end: to foretell the time. */
  readonly tokens: { readonly estimate: number; readonly measure: number };
  /** A quick look, on what is held out. */
  estimate(): Promise<EvaluationReport>;
  /** The figure to report. */
  measure(): Promise<EvaluationReport>;
  /** What is being measured at the end, in words. */
  readonly measured: string;
  /** The loss to compare with: the floor where it is known, else what it is to guess blindly. */
  readonly reference: Reference;
  /** Something that it makes. */
  show(): Promise<string>;
  /** The same in little, quick enough for every evaluation: what is shown meanwhile, and what the log keeps. */
  sample(): Promise<string>;
  /** Commands to go on with, besides a longer run: for a model that is kept in `folder`, a word of the shell. */
  suggestions(folder: string): readonly string[];
}

/** An evaluation, and the same in words. */
export interface EvaluationReport {
  readonly evaluation: Evaluation;
  readonly words: string;
}

/** The loss of a guess among so many, each as probable as the others. */
export function blindGuess(choices: number): Reference {
  return { name: "blind guess", value: log(choices) };
}

/** Checks all that can be checked before memory is taken; gives what builds the study then. */
export type Prepare = (
  config: RunConfig,
  text: TokenizedText | null,
) => Promise<(context: Context) => TrainableKind>;
