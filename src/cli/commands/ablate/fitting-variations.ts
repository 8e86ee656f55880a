import type { Settings } from "../../../config/settings.ts";
import {
  BASE,
  parseVariation,
  type Variation,
  variationsOf,
  variedSettings,
} from "../../../config/variations.ts";
import { ConfigError } from "../../../errors.ts";
import { checkGPTConfig } from "../../../nn/config.ts";
import { gptConfigOf } from "../../../run/config.ts";
import { explainError, flagFor } from "../../shared/explain-error.ts";
import { checkMemory } from "../../shared/memory-check.ts";

/**
 * Returns the base and its variations: the requested ones, or each option switched in turn. A switched option that does
 * not fit the base is left out; a requested variation that does not fit is an error.
 *
 * @throws ConfigError if the base or a requested variation is not a valid configuration
 */
export function fittingVariations(
  base: Settings,
  vocabSize: number,
  asked: readonly string[] | undefined,
): { readonly variations: readonly Variation[]; readonly left: readonly string[] } {
  const check = (variation: Variation) => {
    const settings = variedSettings(base, variation, base.seed);
    const config = gptConfigOf(settings, vocabSize);
    checkGPTConfig(config);
    checkMemory(config, settings.batchSize, "gpt", settings.averageSteps > 0, settings.gradAccumulation);
  };
  check(BASE);
  if (asked !== undefined) {
    const variations = asked.map(parseVariation);
    for (const variation of variations) check(variation);
    return { variations: [BASE, ...variations], left: [] };
  }
  const fitting = variationsOf(base).map((variation) => ({ variation, reason: whyNot(check, variation) }));
  return {
    variations: [BASE, ...fitting.flatMap(({ variation, reason }) => (reason === null ? [variation] : []))],
    left: fitting.flatMap(({ variation, reason }) =>
      reason === null ? [] : [`${labelOf(variation)}: ${reason}`],
    ),
  };
}

/** Formats a variation as flags, such as "--positions rotary", or as "base". */
export function labelOf({ name, changes }: Variation): string {
  const flags = Object.entries(changes).map(([setting, value]) => flagFor(setting, value));
  return flags.length === 0 ? name : flags.join(" ");
}

/** Returns why a variation does not fit, or null if it does. */
function whyNot(check: (variation: Variation) => void, variation: Variation): string | null {
  try {
    check(variation);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return explainError(error);
    throw error;
  }
}
