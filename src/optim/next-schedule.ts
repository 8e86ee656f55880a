/** The schedule of a run that is resumed with more steps or with another learning rate. */
import type { ScheduleSettings } from "../config/schedule-settings.ts";
import { ConfigError } from "../errors.ts";
import { learningRatesAt } from "./schedule.ts";

export interface NextSchedule {
  readonly schedule: ScheduleSettings;
  /** Whether it begins at the resume. If not, it replaces a schedule whose updates so far would not differ. */
  readonly begins: boolean;
}

/** The settings that change nothing before the end of the warm-up. */
const AFTER_WARMUP: readonly string[] = ["steps", "minLearningRate", "schedule", "cooldown"];

/**
 * Continues a schedule after `done` updates with the settings in `given`. The learning rate continues from where it is,
 * and decays to the minimum at the end; it rises only if a higher one, or a warm-up, is given.
 *
 * @param current the current schedule, which began at update `start`
 * @throws ConfigError when the learning rate has ended at 0 and none is given
 * @example
 * // A finished run continues at its last learning rate.
 * const { schedule } = nextSchedule(settings, 0, 2000, { steps: 3000 });
 */
export function nextSchedule(
  current: ScheduleSettings,
  start: number,
  done: number,
  given: Partial<ScheduleSettings>,
): NextSchedule {
  const warming = done - start < current.warmupSteps;
  const names = Object.keys(given);
  const isSameSoFar =
    done === start ||
    (warming && names.every((name) => AFTER_WARMUP.includes(name))) ||
    (current.schedule === "constant" && names.every((name) => name === "steps"));
  if (isSameSoFar) return { schedule: withMinimum({ ...current, ...given }, given), begins: false };
  const peaks = warming ? current : ratesNow(current, start, done, given);
  const schedule = {
    ...current,
    learningRate: peaks.learningRate,
    muonLearningRate: peaks.muonLearningRate,
    warmupSteps: Math.max(0, start + current.warmupSteps - done),
    ...given,
  };
  return { schedule: withMinimum(schedule, given), begins: true };
}

/** The learning rates after `done` updates. If they are 0, Muon's follows the one that is given. */
function ratesNow(current: ScheduleSettings, start: number, done: number, given: Partial<ScheduleSettings>) {
  const earlier = start === 0 ? [] : [{ ...current, until: start }];
  const rates = learningRatesAt(current, earlier, done);
  if (rates.learningRate > 0) return rates;
  if (given.learningRate === undefined) {
    throw new ConfigError(
      `the learning rate of this run is 0 after step ${done}, so more steps would change nothing: give one with \`learningRate\`, or start the schedule again with \`restartSchedule\``,
    );
  }
  const ratio = current.learningRate === 0 ? 0 : current.muonLearningRate / current.learningRate;
  return { learningRate: given.learningRate, muonLearningRate: given.learningRate * ratio };
}

/** A minimum that was not given follows a learning rate below it. */
function withMinimum(schedule: ScheduleSettings, given: Partial<ScheduleSettings>): ScheduleSettings {
  if (given.minLearningRate !== undefined) return schedule;
  return { ...schedule, minLearningRate: Math.min(schedule.minLearningRate, schedule.learningRate) };
}
