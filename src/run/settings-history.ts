/**
 * The changes that resumes made to the settings of a run. `config.json` holds the current settings; each change holds
 * the values before it, so that a step is repeated with the settings it was made with.
 */
import * as z from "zod/mini";
import { type EarlierSchedule, scheduleOf } from "../config/schedule-settings.ts";
import { parseSettings, SETTINGS, type Settings } from "../config/settings.ts";

export const settingsChange = z.strictObject({
  /** The number of updates made before it. */
  afterStep: z.int().check(z.minimum(0)),
  /** The settings that it changed, with their values before. */
  before: z.record(z.string(), z.unknown()),
  /** Whether another schedule begins there. If not, the schedule was replaced from its start. */
  newSchedule: z.boolean(),
});

export type SettingsChange = Readonly<z.infer<typeof settingsChange>>;

/** Settings with their changes, oldest first. */
export interface ChangedSettings {
  readonly settings: Settings;
  readonly changes?: readonly SettingsChange[] | undefined;
}

/** The settings that were current after `step` updates, and the changes before. */
export function settingsAfter({ settings, changes = [] }: ChangedSettings, step: number): ChangedSettings {
  const undone = changes.filter(({ afterStep }) => afterStep > step).reverse();
  return {
    settings: undone.reduce((later, { before }) => parseSettings(later, before), settings),
    changes: changes.slice(0, changes.length - undone.length),
  };
}

/** The schedules before that of the current settings, oldest first. */
export function earlierSchedules({ settings, changes = [] }: ChangedSettings): EarlierSchedule[] {
  const found: EarlierSchedule[] = [];
  let later = settings;
  for (const { afterStep, before, newSchedule } of [...changes].reverse()) {
    later = parseSettings(later, before);
    const schedule = { ...scheduleOf(later), until: afterStep };
    if (newSchedule) found.unshift(schedule);
  }
  return found;
}

/**
 * Changes the settings after `step` updates.
 *
 * @param schedule "kept" for settings that change no step; else the changes after `step` no longer count, and the new
 *   schedule begins at `step`, or replaces the current one
 */
export function changeSettings(
  run: ChangedSettings,
  step: number,
  settings: Settings,
  schedule: "kept" | "begins" | "replaced",
): { readonly settings: Settings; readonly changes: readonly SettingsChange[] } {
  const { changes = [] } = run;
  const old = schedule === "kept" ? run : settingsAfter(run, step);
  const changed = SETTINGS.map(({ name }) => name).filter((name) => settings[name] !== old.settings[name]);
  const before = Object.fromEntries(changed.map((name) => [name, old.settings[name]]));
  const change = { afterStep: step, before, newSchedule: schedule === "begins" };
  const later = schedule === "kept" ? changes.filter(({ afterStep }) => afterStep > step) : [];
  return { settings, changes: [...changes.filter(({ afterStep }) => afterStep <= step), change, ...later] };
}
