/**
 * The data of a plotted run. A report contains it as JSON. This module must not need Node, because the page of a report
 * uses it too.
 */
import type { ModelKind } from "../config/choices.ts";

/** Units of the horizontal axis. */
export const X_UNITS = ["steps", "tokens", "seconds"] as const;
export type XUnit = (typeof X_UNITS)[number];

/** Seconds count the time spent in training steps so far. */
export type CurvePoint = readonly [step: number, seconds: number, value: number];

export const CURVES = [
  "train",
  "smoothed",
  "validation",
  "estimates",
  "learningRate",
  "gradientNorm",
] as const;
export type CurveName = (typeof CURVES)[number];

export interface PlottedSample {
  readonly step: number;
  readonly text: string;
}

/** A suggested command and its purpose. */
export interface NextCommand {
  readonly purpose: string;
  readonly command: string;
}

export interface PlottedRun {
  /** A short name, unique in the comparison. */
  readonly name: string;
  readonly path: string;
  readonly model: ModelKind;
  readonly status: string;
  /** What the loss at the end means, in sentences; null if the run has not ended. */
  readonly verdict: string | null;
  /** Steps done, and steps planned. */
  readonly step: number;
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly parameters: number;
  /** Total size of the run directory. */
  readonly bytes: number;
  /** Total time spent in training steps. */
  readonly trainedMs: number;
  /** The step of the best checkpoint and its measured validation loss, or null before there is one. */
  readonly best: {
    readonly step: number;
    readonly lossNats: number;
    /** null if it was not logged, or there is no text. */
    readonly bitsPerByte: number | null;
  } | null;
  /** The entropy of the validation split, if known: a lower bound of a GPT's loss. */
  readonly floorNats: number | null;
  /** The loss of a uniform guess over the vocabulary. */
  readonly uniformNats: number;
  /** The training text, described, and an id that is equal for runs on the same text. */
  readonly corpus: string;
  readonly corpusId: string;
  /** Settings and everything else that may differ between runs, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Number of steps that the smoothed curves average over. */
  readonly smoothing: number;
  readonly curves: Readonly<Record<CurveName, readonly CurvePoint[]>>;
  readonly samples: readonly PlottedSample[];
  readonly next: readonly NextCommand[];
}

/** Returns the position of a point on the horizontal axis. */
export function xOf(unit: XUnit, [step, seconds]: CurvePoint, tokensPerStep: number): number {
  switch (unit) {
    case "steps":
      return step;
    case "tokens":
      return step * tokensPerStep;
    case "seconds":
      return seconds;
  }
}

/** Returns warnings if the losses of these runs are not comparable. */
export function warningsAbout(runs: readonly PlottedRun[]): string[] {
  const distinct = (of: (run: PlottedRun) => unknown) => new Set(runs.map(of)).size > 1;
  if (distinct(({ model }) => model))
    return [
      "These models are of different kinds and have different tasks, so their losses are not comparable.",
    ];
  if (distinct(({ corpusId }) => corpusId))
    return ["These runs are trained and evaluated on different texts, so their losses are not comparable."];
  if (distinct(({ uniformNats }) => uniformNats))
    return [
      "These runs have different vocabularies, so their losses per token are not comparable; their bits per byte are.",
    ];
  return [];
}
