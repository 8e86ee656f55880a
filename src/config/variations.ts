/**
 * Which settings help: a base, and variations of it that change one thing each, every one with the same few seeds.
 *
 * The spread of a setting's losses over the seeds is luck, so a difference that is no larger than it shows nothing.
 */
import { z } from "zod";
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
  /** "base", or the changes as `parseVariation` reads them: "positions=rotary". */
  readonly name: string;
  readonly changes: Partial<Settings>;
}

export const BASE: Variation = { name: "base", changes: {} };

/** What is tried where nobody says what to try, in this order. */
const OPTIONS: readonly SettingName[] = [
  "optimizer",
  "schedule",
  "windows",
  "averageSteps",
  "positions",
  "norm",
  "normWeights",
  "qkNorm",
  "activation",
  "zeroInit",
  "tieHead",
  "bias",
  "bigram",
  "logitCap",
];

/** Settings that say when a run is looked at, and change no weight. */
const REPORTING: readonly SettingName[] = ["evalInterval", "evalBatches", "checkpointInterval", "patience"];

/** Each option switched, one at a time: every other word of a choice, on for off, a usual number for 0. */
export function variationsOf(base: Settings): Variation[] {
  const usual: Partial<Record<SettingName, number>> = {
    averageSteps: Math.max(1, Math.ceil(base.steps / 10)),
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
    return others.map((value) => variation({ [name]: value }));
  });
}

/**
 * A variation as a person asks for it: "positions=rotary", or several changes that belong together,
 * "optimizer=adamw learning-rate=0.003".
 *
 * @throws ConfigError when a part is no change of a setting
 */
export function parseVariation(words: string): Variation {
  const changes = words.split(/\s+/).filter(Boolean).map(parseChange);
  if (changes.length === 0)
    throw new ConfigError('`vary` takes changes of settings, such as "positions=rotary": got none');
  return variation(Object.fromEntries(changes));
}

/** The settings of one run. @throws ConfigError when they do not fit together */
export function variedSettings(base: Settings, { changes }: Variation, seed: number): Settings {
  return resolveSettings(base, changes, { seed });
}

const record = z.object({
  settings: z.record(z.string(), z.unknown()),
  /** SHA-256 of the text. */
  corpus: z.string(),
  /** The share of the training split that was held out. */
  holdout: z.number(),
  backend: z.string(),
  /** null for a run that diverged. */
  lossNats: z.number().nullable(),
  /** How many tokens that is the mean over. */
  tokens: z.number(),
  /** Of training, without the evaluation. */
  elapsedMs: z.number(),
});

/** One run, as a line of a results file keeps it. */
export type AblationRun = Readonly<z.infer<typeof record>>;

/** What makes two runs the same one. */
export function keyOf({
  settings,
  corpus,
  holdout,
  backend,
}: Omit<AblationRun, "lossNats" | "tokens" | "elapsedMs">): string {
  const told = Object.entries(settings).filter(([name]) => !REPORTING.some((other) => other === name));
  return JSON.stringify([told.sort(([a], [b]) => (a < b ? -1 : 1)), corpus, holdout, backend]);
}

/** The runs in a results file, by key. A last line that a kill cut short does not count. */
export function readRuns(text: string): Map<string, AblationRun> {
  const runs = new Map<string, AblationRun>();
  for (const line of text.split("\n")) {
    const run = record.safeParse(parseLine(line)).data;
    if (run !== undefined) runs.set(keyOf(run), run);
  }
  return runs;
}

export interface Summary {
  /** null where a run diverged, or there is none. */
  readonly meanNats: number | null;
  /** The standard deviation over the seeds, of the sample; null for fewer than two. */
  readonly spreadNats: number | null;
  readonly meanMs: number;
}

export function summarize(runs: readonly Pick<AblationRun, "lossNats" | "elapsedMs">[]): Summary {
  const losses = runs.flatMap(({ lossNats }) => (lossNats === null ? [] : [lossNats]));
  const meanMs = mean(runs.map(({ elapsedMs }) => elapsedMs));
  if (losses.length === 0 || losses.length < runs.length) return { meanNats: null, spreadNats: null, meanMs };
  const meanNats = mean(losses);
  const squares = losses.reduce((sum, loss) => sum + (loss - meanNats) * (loss - meanNats), 0);
  const spreadNats = losses.length < 2 ? null : Math.sqrt(squares / (losses.length - 1));
  return { meanNats, spreadNats, meanMs };
}

export interface Comparison {
  /** Below 0 is better than the base; null where one of the two diverged. */
  readonly differenceNats: number | null;
  readonly verdict: "better" | "worse" | "no difference" | "one seed says nothing" | "diverged";
}

/** A difference no larger than the larger of the two spreads is none. */
export function compare(base: Summary, other: Summary): Comparison {
  if (base.meanNats === null || other.meanNats === null) return { differenceNats: null, verdict: "diverged" };
  const differenceNats = other.meanNats - base.meanNats;
  if (base.spreadNats === null || other.spreadNats === null)
    return { differenceNats, verdict: "one seed says nothing" };
  const spread = Math.max(base.spreadNats, other.spreadNats);
  if (Math.abs(differenceNats) <= spread) return { differenceNats, verdict: "no difference" };
  return { differenceNats, verdict: differenceNats < 0 ? "better" : "worse" };
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

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
