/** The settings of a run: complete, validated, and listed. settings-table.ts has the table that they come from. */
import * as z from "zod/mini";
import { ConfigError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkTogether } from "./check-together.ts";
import { describeIssue } from "./describe-issue.ts";
import { type Belonging, belonging, MODEL_TABLE, TRAINING_TABLE } from "./settings-table.ts";
// A type error where the table meets this type means that it must be generated again: scripts/settings-type.ts.
import type { Settings } from "./settings-type.ts";

const table = z.strictObject({ ...MODEL_TABLE, ...TRAINING_TABLE });

export type { Settings };
export type SettingName = keyof Settings;

/** One row of the table, in the form that flags and help use. */
export interface Setting extends Belonging {
  readonly name: SettingName;
  readonly group: "model" | "training";
  readonly default: number | string | boolean;
  readonly kind: "number" | "switch" | "choice";
  /** The values of a choice. */
  readonly choices: readonly string[];
}

export const SETTINGS: readonly Setting[] = z.keyof(table).options.map((name) => {
  const check = table.shape[name];
  const inner = check.def.innerType;
  const choices = inner instanceof z.ZodMiniEnum ? inner.options : [];
  const kind =
    inner instanceof z.ZodMiniEnum ? "choice" : inner instanceof z.ZodMiniBoolean ? "switch" : "number";
  const group = name in MODEL_TABLE ? "model" : "training";
  return { ...belonging.get(check), name, group, default: check.parse(undefined), kind, choices };
});

/**
 * Complete, validated settings: the defaults, overridden by each layer in turn.
 *
 * @throws ConfigError for an unknown name (suggesting the nearest known one), a value out of range, or settings that
 *   contradict each other
 * @example
 * const settings = resolveSettings({ layers: 2, heads: 4, dModel: 64, steps: 1000 });
 */
export function resolveSettings(...layers: readonly Partial<Settings>[]): Settings {
  return parseSettings(...layers);
}

/**
 * Does the same as `resolveSettings` with input that may hold anything, such as JSON or flags.
 *
 * @throws ConfigError as `resolveSettings` does
 */
export function parseSettings(...layers: readonly Readonly<Record<string, unknown>>[]): Settings {
  for (const settings of layers) checkTypes("resolveSettings", { settings }, { settings: "object" });
  const settings = parseValues(Object.assign({}, ...layers));
  checkTogether(settings);
  return settings;
}

/**
 * Checks the value of each given setting, but not whether they fit together. The rest is left out.
 *
 * @throws ConfigError for an unknown name, or a value out of range
 */
export function parseGiven(given: Readonly<Record<string, unknown>>): Partial<Settings> {
  const values: { -readonly [Name in SettingName]?: Settings[Name] } = parseValues(given);
  for (const { name } of SETTINGS) if (given[name] === undefined) delete values[name];
  return values;
}

function parseValues(input: Readonly<Record<string, unknown>>): Settings {
  const result = table.safeParse(input);
  if (!result.success) {
    const names = SETTINGS.map(({ name }) => name);
    throw new ConfigError(result.error.issues.map((issue) => describeIssue(issue, input, names)).join("\n"));
  }
  return result.data;
}

/** What decides which settings there are. */
type Having = Pick<Settings, "model" | "tokenizer">;

/** Whether a kind of model with this tokenizer has a setting. */
export function belongsTo({ model, tokenizer }: Having, { kinds, tokenizers }: Setting): boolean {
  return (kinds?.includes(model) ?? true) && (tokenizers?.includes(tokenizer) ?? true);
}

/**
 * Checks that each given setting applies to this kind of model and its tokenizer.
 *
 * @throws ConfigError for those that do not, with what has them
 */
export function checkBelonging(having: Having, given: Readonly<Record<string, unknown>>): void {
  const strangers = SETTINGS.filter((setting) => setting.name in given && !belongsTo(having, setting));
  if (strangers.length === 0) return;
  const byModel = strangers.filter(({ kinds }) => kinds?.includes(having.model) === false);
  if (byModel.length > 0) {
    const complaints = byModel.map(({ name, kinds }) => `\`${name}\` is for ${kinds?.join(" and ")}`);
    throw new ConfigError(`${complaints.join("; ")}: got it with \`model\` ${having.model}`);
  }
  const [{ name, tokenizers }] = strangers;
  throw new ConfigError(
    `\`${name}\` is for \`tokenizer\` ${tokenizers?.join(" and ")}: got it with \`tokenizer\` ${having.tokenizer}`,
  );
}

/** "d-model" for "dModel". */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
