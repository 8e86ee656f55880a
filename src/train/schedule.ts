/**
 * The learning rate of each update: a linear warm-up, then a decay.
 *
 *   lr(s) = max · (s + 1) / (warmup + 1)                        s < warmup
 *   lr(s) = min + ½·(1 + cos π·r)·(max − min)                   "cosine", with r = (s − warmup) / (steps − warmup)
 *   lr(s) = min + (1 − r)·(max − min)                           "linear"
 *   lr(s) = max                                                 "constant"
 *
 * s is the number of updates made before this one: the first update has s = 0, the last s = steps − 1, so the
 * floor itself is reached just after the last. Source of the cosine: Loshchilov & Hutter 2017.
 */
import { cos } from "../math.ts";

export interface Schedule {
  /** The rate at the end of the warm-up (max). */
  readonly learningRate: number;
  /** What the decay comes down to (min). */
  readonly minLearningRate: number;
  readonly warmupSteps: number;
  /** Updates in the whole run. */
  readonly steps: number;
  readonly schedule: "cosine" | "linear" | "constant";
}

/** The learning rate of the update that `step` updates came before. */
export function learningRateAt(settings: Schedule, step: number): number {
  const { learningRate, minLearningRate, warmupSteps, steps, schedule } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  if (schedule === "constant") return learningRate;
  if (step >= steps) return minLearningRate;
  const ratio = (step - warmupSteps) / (steps - warmupSteps);
  const share = schedule === "cosine" ? 0.5 * (1 + cos(Math.PI * ratio)) : 1 - ratio;
  return minLearningRate + share * (learningRate - minLearningRate);
}
