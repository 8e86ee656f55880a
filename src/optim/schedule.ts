/**
 * The learning rate of each update: a linear warm-up, then a decay.
 *
 *   lr(s) = max · (s + 1) / (warmup + 1)                        s < warmup
 *   lr(s) = min + ½·(1 + cos π·r)·(max − min)                   "cosine", with r = (s − warmup) / (steps − warmup)
 *   lr(s) = min + (1 − r)·(max − min)                           "linear"
 *   lr(s) = max                                                 "constant"
 *   lr(s) = min + min(1, (1 − r)/cooldown)·(max − min)          "trapezoid"
 *
 * s counts the updates before this one: the first update has s = 0, the last s = steps − 1, so the minimum would be
 * reached just after the last. Sources: Loshchilov & Hutter 2017 (cosine), Hägele et al. 2024 (trapezoid).
 */
import { cos } from "../math.ts";

export interface Schedule {
  /** The rate at the end of the warm-up (max). */
  readonly learningRate: number;
  /** The rate at the end of the decay (min). */
  readonly minLearningRate: number;
  readonly warmupSteps: number;
  /** The number of updates in the whole run. */
  readonly steps: number;
  readonly schedule: "cosine" | "linear" | "constant" | "trapezoid";
  /** The fraction of the steps after warm-up in which the trapezoid decays, in (0, 1]. */
  readonly cooldown: number;
}

/** The learning rate of the update after `step` completed updates. */
export function learningRateAt(settings: Schedule, step: number): number {
  const { learningRate, minLearningRate, warmupSteps, steps, schedule } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  if (schedule === "constant") return learningRate;
  if (step >= steps) return minLearningRate;
  const ratio = (step - warmupSteps) / (steps - warmupSteps);
  return minLearningRate + decayFactor(settings, ratio) * (learningRate - minLearningRate);
}

/** The remaining fraction of (max − min) after the fraction `ratio` of the steps that follow the warm-up. */
function decayFactor({ schedule, cooldown }: Schedule, ratio: number): number {
  switch (schedule) {
    case "cosine":
      return 0.5 * (1 + cos(Math.PI * ratio));
    case "trapezoid":
      return Math.min(1, (1 - ratio) / cooldown);
    default:
      return 1 - ratio;
  }
}
