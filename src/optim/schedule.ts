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
import type { EarlierSchedule, ScheduleSettings } from "../config/schedule-settings.ts";
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

/** The learning rates of one update. Both optimizers follow the same schedule. */
export interface LearningRates {
  readonly learningRate: number;
  readonly muonLearningRate: number;
}

/**
 * The learning rates of the update after `step` completed updates, in a run whose schedule may have been changed.
 *
 * @param earlier the schedules before this one, oldest first; each begins where the one before it ends
 */
export function learningRatesAt(
  current: ScheduleSettings,
  earlier: readonly EarlierSchedule[],
  step: number,
): LearningRates {
  const found = earlier.findIndex(({ until }) => step < until);
  const index = found < 0 ? earlier.length : found;
  const start = index === 0 ? 0 : earlier[index - 1].until;
  const schedule = earlier.at(index) ?? current;
  const learningRate = learningRateAt({ ...schedule, steps: schedule.steps - start }, step - start);
  const ratio = schedule.learningRate === 0 ? 0 : schedule.muonLearningRate / schedule.learningRate;
  return { learningRate, muonLearningRate: learningRate * ratio };
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
