/** The settings that decide the learning rate of each step. A resume may change them. */
import type { SettingName, Settings } from "./settings.ts";

export const SCHEDULE_SETTINGS = [
  "steps",
  "learningRate",
  "minLearningRate",
  "muonLearningRate",
  "schedule",
  "cooldown",
  "warmupSteps",
] as const satisfies readonly SettingName[];

/** `steps` is the total of the run; the warm-up begins where the schedule does. */
export type ScheduleSettings = Pick<Settings, (typeof SCHEDULE_SETTINGS)[number]>;

/** A schedule that a resume has replaced. It holds for the updates up to `until`. */
export interface EarlierSchedule extends ScheduleSettings {
  readonly until: number;
}

/** The schedule in a set of settings. */
export function scheduleOf(settings: ScheduleSettings): ScheduleSettings {
  const { steps, learningRate, minLearningRate, muonLearningRate, schedule, cooldown, warmupSteps } =
    settings;
  return { steps, learningRate, minLearningRate, muonLearningRate, schedule, cooldown, warmupSteps };
}
