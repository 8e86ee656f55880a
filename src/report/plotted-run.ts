/**
 * A run as it is plotted: plain data, which a report carries along as JSON. Nothing here needs Node: the page of a
 * report runs it too.
 */
import type { ModelKind } from "../config/settings.ts";

/** What the horizontal axis counts. */
export const X_UNITS = ["steps", "tokens", "seconds"] as const;
export type XUnit = (typeof X_UNITS)[number];

/** Seconds are those spent in steps so far. */
export type CurvePoint = readonly [step: number, seconds: number, value: number];

export const CURVES = ["train", "smoothed", "validation", "learningRate", "gradientNorm"] as const;
export type CurveName = (typeof CURVES)[number];

export interface PlottedSample {
  readonly step: number;
  readonly text: string;
}

/** A line to type, and what for. */
export interface NextCommand {
  readonly purpose: string;
  readonly command: string;
}

export interface PlottedRun {
  /** Short, and no other run's of the same comparison. */
  readonly name: string;
  readonly path: string;
  readonly model: ModelKind;
  readonly status: string;
  /** Steps made, and to be made. */
  readonly step: number;
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly parameters: number;
  /** Of everything in its folder. */
  readonly bytes: number;
  /** Spent in steps. */
  readonly trainedMs: number;
  /** The lowest loss on what is held out, and the step after which it was measured; null before the first. */
  readonly best: { readonly step: number; readonly lossNats: number } | null;
  /** The entropy of what is held out, where it is known: no loss of a gpt can be lower. */
  readonly floorNats: number | null;
  /** The loss of one who knows nothing and takes every token to be as likely as any other. */
  readonly uniformNats: number;
  /** What it learns from, in words, and the same as two runs have it if they learn from the same. */
  readonly corpus: string;
  readonly corpusId: string;
  /** What may differ between runs, by name, in words. */
  readonly settings: Readonly<Record<string, string>>;
  /** How many steps the smoothed curves are means over. */
  readonly smoothing: number;
  readonly curves: Readonly<Record<CurveName, readonly CurvePoint[]>>;
  readonly samples: readonly PlottedSample[];
  readonly next: readonly NextCommand[];
}

/** Where a point stands on the horizontal axis. */
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

/** What makes the losses of these runs no fair comparison, in sentences. */
export function warningsAbout(runs: readonly PlottedRun[]): string[] {
  const distinct = (of: (run: PlottedRun) => unknown) => new Set(runs.map(of)).size > 1;
  if (distinct(({ model }) => model))
    return [
      "These are models of several kinds: each is asked something else, so their losses do not compare.",
    ];
  if (distinct(({ corpusId }) => corpusId))
    return [
      "These runs learn from different texts, and each is measured on its own: their losses do not compare.",
    ];
  if (distinct(({ uniformNats }) => uniformNats))
    return ["These runs have different tokens, and losses are nats per token: they do not compare."];
  return [];
}
