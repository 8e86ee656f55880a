/** The recipes of the page: where a run's settings come from. */
import { PRESETS } from "../../config/presets.ts";
import { parseSettings, type Settings } from "../../config/settings.ts";
import { LEAKAGE_SETTINGS } from "../../lesson/leakage-settings.ts";
import type { Recipe, ShownSettings } from "../settings.ts";

/** The textbook path and the fused one have the same mathematics and different bits; a run here uses the fast one. */
const { attention: _, ...SMALL } = LEAKAGE_SETTINGS;

/** Long enough to switch the mask off and on again. */
const SMALL_STEPS = 1500;

function baseOf(recipe: Recipe): Partial<Settings> {
  return recipe === "small" ? { ...SMALL, steps: SMALL_STEPS } : PRESETS.tales.settings;
}

/** A recipe's values of the shown settings. */
export function shownOf(recipe: Recipe): ShownSettings {
  const { layers, heads, dModel, contextLength, batchSize, steps, seed } = parseSettings(baseOf(recipe));
  return { layers, heads, dModel, contextLength, batchSize, steps, seed };
}

/**
 * The settings of a run.
 *
 * @param changes values of shown settings, as a link or a person gave them
 * @throws ConfigError for a value out of range
 */
export function playSettings(recipe: Recipe, changes: Readonly<Record<string, unknown>>): Settings {
  const settings = { ...baseOf(recipe), ...changes };
  const steps = Number(settings.steps);
  const warmupSteps = Math.min(settings.warmupSteps ?? 0, Number.isFinite(steps) ? steps : 0);
  return parseSettings({ ...settings, warmupSteps });
}
