/** What `--resume` may change, and the config of the run from there on. */
import { SCHEDULE_SETTINGS, type ScheduleSettings, scheduleOf } from "../../../config/schedule-settings.ts";
import {
  flagOf,
  parseSettings,
  SETTINGS,
  type SettingName,
  type Settings,
} from "../../../config/settings.ts";
import { ConfigError } from "../../../errors.ts";
import { nextSchedule } from "../../../optim/next-schedule.ts";
import { learningRatesAt } from "../../../optim/schedule.ts";
import type { RunConfig } from "../../../run/config.ts";
import { changeSettings, earlierSchedules, settingsAfter } from "../../../run/settings-history.ts";
import { formatCount } from "../../../util/format.ts";
import { givenSettings } from "../../options/settings-flags.ts";
import type { TrainFlags } from "./plan-run.ts";

/** Settings of evaluation, saving and memory. They change the result of no step. */
const HARMLESS: readonly SettingName[] = [
  "evalInterval",
  "patience",
  "evalBatches",
  "measureTokens",
  "checkpointInterval",
  "keepCheckpoints",
  "checkpointActivations",
  "shardOptimizer",
];
const CHANGEABLE: readonly SettingName[] = [...SCHEDULE_SETTINGS, ...HARMLESS];

export interface ResumedConfig {
  /** The saved config itself if nothing changes. */
  readonly config: RunConfig;
  /** Lines about what changes, for a person. */
  readonly remarks: readonly string[];
}

/**
 * The config of a run that resumes after `done` updates. To ask again for what an earlier resume did changes nothing,
 * so that a command can be repeated after a kill.
 *
 * @throws ConfigError when a flag would change the model or its data, or asks for what no step is left to do
 */
export function resumedConfig(
  saved: RunConfig,
  done: number,
  path: string,
  flags: TrainFlags,
): ResumedConfig {
  const given = givenSettings(flags);
  const asked = parseSettings(saved.settings, withReachableMinimum(saved.settings, given));
  const changed = SETTINGS.map(({ name }) => name).filter((name) => asked[name] !== saved.settings[name]);
  refuse(changed, flags);
  if (asked.steps < done)
    throw new ConfigError(
      `--steps ${asked.steps}: ${path} has made ${done} steps already; ask for more than that`,
    );
  const wanted = scheduleChanges(saved, done, asked, given, flags.restartSchedule === true);
  if (wanted === null) {
    const config = changed.length === 0 ? saved : { ...saved, ...changeSettings(saved, done, asked, "kept") };
    return { config, remarks: [] };
  }
  if (asked.steps === done && Object.keys(wanted).some((name) => name !== "steps"))
    throw new ConfigError(
      `${path} has made all of its ${done} steps: another learning rate needs more; add --steps`,
    );
  const inForce = settingsAfter(saved, done);
  const start = earlierSchedules(inForce).at(-1)?.until ?? 0;
  const { schedule, begins } = nextSchedule(scheduleOf(inForce.settings), start, done, wanted);
  const settings = parseSettings(asked, withoutMuon(asked, schedule));
  const config = { ...saved, ...changeSettings(saved, done, settings, begins ? "begins" : "replaced") };
  return { config, remarks: remarksOn(config, done) };
}

/** Muon's learning rate follows the other one only where there is Muon. */
function withoutMuon(
  { optimizer, muonLearningRate }: Settings,
  schedule: ScheduleSettings,
): ScheduleSettings {
  return optimizer === "muon" ? schedule : { ...schedule, muonLearningRate };
}

/** The settings of the schedule that change; null if none does. */
function scheduleChanges(
  saved: RunConfig,
  done: number,
  asked: Settings,
  given: Readonly<Record<string, unknown>>,
  restart: boolean,
): Partial<ScheduleSettings> | null {
  const from = scheduleOf(saved.settings);
  if (!restart) {
    const names = SCHEDULE_SETTINGS.filter((name) => asked[name] !== from[name]);
    return names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, asked[name]]));
  }
  const inForce = settingsAfter(saved, done);
  const initial = scheduleOf(earlierSchedules(inForce).at(0) ?? inForce.settings);
  const first = { ...asked, ...initial, steps: asked.steps };
  const restarted = scheduleOf(parseSettings(first, withReachableMinimum(first, given)));
  const isRunning = done > 0 && SCHEDULE_SETTINGS.every((name) => restarted[name] === from[name]);
  return isRunning && earlierSchedules(saved).length > 0 ? null : restarted;
}

/** A minimum that was not given follows a learning rate below it. */
function withReachableMinimum(
  { learningRate, minLearningRate }: ScheduleSettings,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (given.minLearningRate !== undefined || (given.learningRate ?? given.schedule) === undefined)
    return given;
  return { ...given, minLearningRate: Math.min(minLearningRate, Number(given.learningRate ?? learningRate)) };
}

/** @throws ConfigError for settings that define the model or its data, and for other starting points */
function refuse(changed: readonly SettingName[], flags: TrainFlags): void {
  const refused = changed.filter((name) => !CHANGEABLE.includes(name)).map((name) => `--${flagOf(name)}`);
  for (const name of ["preset", "fromStep", "from", "config"] as const)
    if (flags[name] !== undefined) refused.unshift(`--${flagOf(name)}`);
  if (refused.length === 0) return;
  const free = CHANGEABLE.map((name) => `--${flagOf(name)}`).join(", ");
  throw new ConfigError(
    `--resume keeps the model and the data of the run; only ${free} may change: got ${refused.join(", ")}`,
  );
}

/** Where the learning rate goes from here. */
function remarksOn(config: RunConfig, done: number): string[] {
  if (done === 0) return [];
  const { settings } = config;
  const { learningRate } = learningRatesAt(settings, earlierSchedules(config), done);
  const { minLearningRate, schedule, steps } = settings;
  const isFlat = schedule === "constant" || minLearningRate === learningRate;
  const then = isFlat
    ? "and stays there"
    : `then ${schedule} to ${minLearningRate} at step ${formatCount(steps)}`;
  const warmup = done < (earlierSchedules(config).at(-1)?.until ?? 0) + settings.warmupSteps;
  if (warmup) return [`learning rate: warms up to ${settings.learningRate}, ${then}`];
  return [
    `learning rate: continues at ${Number(learningRate.toPrecision(3))} ${then}; --learning-rate and --restart-schedule change it`,
  ];
}
