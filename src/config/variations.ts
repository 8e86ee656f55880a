/**
 * Ablations: a base configuration and variations of it that change one thing each, all trained with the same seeds.
 * report/comparison.ts says which differences are more than chance.
 */
import * as z from "zod/mini";
import { ConfigError } from "../errors.ts";
import { nearest } from "../util/edit-distance.ts";
import {
  flagOf,
  resolveSettings,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
} from "./settings.ts";

export interface Variation {
  /** "base", or the changes in the form that `parseVariation` reads: "positions=rotary". */
  readonly name: string;
  readonly changes: Partial<Settings>;
}

export const BASE: Variation = { name: "base", changes: {} };

/** The settings that are varied by default, in this order. */
const OPTIONS: readonly SettingName[] = [
  "optimizer",
  "schedule",
  "windows",
  "averageSteps",
  "positions",
  "norm",
  "normWeights",
  "qkNorm",
  "kvHeads",
  "activation",
  "zeroInit",
  "tieHead",
  "bias",
  "bigram",
  "logitCap",
];

/** Settings that control when a run is evaluated or saved, and do not change its weights. */
const REPORTING: readonly SettingName[] = ["evalInterval", "evalBatches", "checkpointInterval", "patience"];

/**
 * One variation per alternative: each other value of a choice, the opposite of a switch, a typical number instead of 0.
 */
export function variationsOf(base: Settings): Variation[] {
  const { steps, heads } = base;
  const usual: Partial<Record<SettingName, number>> = {
    averageSteps: Math.max(1, Math.ceil(steps / 10)),
    kvHeads: heads === 1 ? 0 : heads % 2 === 0 ? heads / 2 : 1,
    logitCap: 30,
  };
  return OPTIONS.flatMap((option) => {
    const { name, kind, choices } = settingOf(option);
    const now = base[name];
    const others = {
      choice: choices.filter((word) => word !== now),
      switch: [!now],
      number: [now === 0 ? (usual[name] ?? 0) : 0],
    }[kind];
    return others.filter((value) => value !== now).map((value) => variation({ [name]: value }));
  });
}

/**
 * Parses a variation: one change, "positions=rotary", or several that belong together,
 * "optimizer=adamw learning-rate=0.003".
 *
 * @throws ConfigError if a part is not a valid change of a setting
 */
export function parseVariation(words: string): Variation {
  const changes = words.split(/\s+/).filter(Boolean).map(parseChange);
  if (changes.length === 0)
    throw new ConfigError('`vary` needs changes of settings, such as "positions=rotary": got none');
  return variation(Object.fromEntries(changes));
}

/** The settings of one run. @throws ConfigError if they contradict each other */
export function variedSettings(base: Settings, { changes }: Variation, seed: number): Settings {
  return resolveSettings(base, changes, { seed });
}

const record = z.object({
  settings: z.record(z.string(), z.unknown()),
  /** SHA-256 of the text. */
  corpus: z.string(),
  /** The fraction of the training split used for validation. */
  holdout: z.number(),
  backend: z.string(),
  /** null if the run diverged. */
  lossNats: z.nullable(z.number()),
  /** The same in bits per byte of the text. */
  bitsPerByte: z.catch(z.nullable(z.number()), null),
  /** The number of tokens in that mean. */
  tokens: z.number(),
  /** Training time, without evaluation. */
  elapsedMs: z.number(),
});

/** One run: a line of a results file. */
export type AblationRun = Readonly<z.infer<typeof record>>;

/** The identity of a run: two runs with the same key give the same result. */
export function keyOf({
  settings,
  corpus,
  holdout,
  backend,
}: Omit<AblationRun, "lossNats" | "bitsPerByte" | "tokens" | "elapsedMs">): string {
  const relevant = Object.entries(settings).filter(([name]) => !REPORTING.some((other) => other === name));
  return JSON.stringify([relevant.sort(([a], [b]) => (a < b ? -1 : 1)), corpus, holdout, backend]);
}

/** The runs in a results file, by key. A last line that was cut short by a kill is ignored. */
export function readRuns(text: string): Map<string, AblationRun> {
  const runs = new Map<string, AblationRun>();
  for (const line of text.split("\n")) {
    const run = record.safeParse(parseLine(line)).data;
    if (run !== undefined) runs.set(keyOf(run), run);
  }
  return runs;
}

function variation(changes: Readonly<Record<string, unknown>>): Variation {
  const names = Object.entries(changes).map(([name, value]) => {
    return `${name}=${typeof value === "boolean" ? (value ? "on" : "off") : value}`;
  });
  return { name: names.join(" "), changes };
}

function parseChange(words: string): [name: string, value: unknown] {
  const [flag, value = ""] = words.replace(/^--/, "").split("=", 2);
  const setting = SETTINGS.find(({ name }) => flagOf(name) === flag || name === flag);
  if (setting === undefined) {
    const flags = SETTINGS.map(({ name }) => flagOf(name));
    throw new ConfigError(`\`vary\`: there is no setting "${flag}"; did you mean "${nearest(flag, flags)}"?`);
  }
  if (setting.name === "seed")
    throw new ConfigError("`vary`: the seeds vary by themselves; `seeds` says how many");
  return [setting.name, parseValue(setting, value)];
}

function parseValue({ name, kind, choices }: Setting, word: string): unknown {
  if (kind === "choice" && choices.includes(word)) return word;
  if (kind === "switch" && (word === "on" || word === "off")) return word === "on";
  if (kind === "number" && word.trim() !== "" && Number.isFinite(Number(word))) return Number(word);
  const demand = { choice: choices.join(" or "), switch: "on or off", number: "a number" }[kind];
  throw new ConfigError(`\`vary\`: ${flagOf(name)} must be ${demand}: got ${JSON.stringify(word)}`);
}

function settingOf(wanted: SettingName): Setting {
  const setting = SETTINGS.find(({ name }) => name === wanted);
  if (setting === undefined) throw new ConfigError(`there is no setting "${wanted}"`);
  return setting;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
