/**
 * The learning rate of each update: a linear warm-up, then a decay.
 *
 *   lr(s) = max · (s + 1) / (warmup + 1)                        s < warmup
 *   lr(s) = min + ½·(1 + cos π·r)·(max − min)                   "cosine", with r = (s − warmup) / (steps − warmup)
 *   lr(s) = min + (1 − r)·(max − min)                           "linear"
 *   lr(s) = max                                                 "constant"
 *   lr(s) = min + min(1, (1 − r)/cooldown)·(max − min)          "trapezoid"
 *
 * s is the number of updates made before this one: the first update has s = 0, the last s = steps − 1, so the
 * floor itself is reached just after the last. Sources: of the cosine, Loshchilov & Hutter 2017; of the trapezoid,
 * Hägele et al. 2024.
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
  readonly schedule: "cosine" | "linear" | "constant" | "trapezoid";
  /** The share of the steps after the warm-up over which a trapezoid falls, in (0, 1]. */
  readonly cooldown: number;
}

/** The learning rate of the update that `step` updates came before. */
export function learningRateAt(settings: Schedule, step: number): number {
  const { learningRate, minLearningRate, warmupSteps, steps, schedule } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  if (schedule === "constant") return learningRate;
  if (step >= steps) return minLearningRate;
  const ratio = (step - warmupSteps) / (steps - warmupSteps);
  return minLearningRate + shareLeft(settings, ratio) * (learningRate - minLearningRate);
}

/** How much of the way from the floor to the full rate is left when `ratio` of the decay's steps have been made. */
function shareLeft({ schedule, cooldown }: Schedule, ratio: number): number {
  switch (schedule) {
    case "cosine":
      return 0.5 * (1 + cos(Math.PI * ratio));
    case "trapezoid":
      return Math.min(1, (1 - ratio) / cooldown);
    default:
      return 1 - ratio;
  }
}
