/** Flags generated from the settings table, and flags that several commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { BACKEND_NAMES, DEFAULT_BACKEND, MOST_THREADS } from "../../backend/names.ts";
import { SETTING_HELP } from "../../config/setting-help.ts";
import { flagOf, SETTINGS, type Setting } from "../../config/settings.ts";
import { CACHE_NAME, IN_MEMORY_MB } from "../../data/token-cache.ts";
import { nearest } from "../../util/edit-distance.ts";
import { namesToFlags } from "../shared/explain-error.ts";
import { type Sharers, usableCpus } from "../shared/usable-cpus.ts";

/**
 * Adds a flag for each setting. Omitting a flag leaves its setting unchanged.
 *
 * @param defaults the default that `--help` shows; if omitted, the table's default
 */
export function addSettingFlags(command: Command, settings: readonly Setting[], defaults?: string): void {
  for (const setting of settings) {
    const group = setting.group === "model" ? "Model settings:" : "Training settings:";
    for (const option of optionsOf(setting, defaults)) command.addOption(option.helpGroup(group));
  }
}

export function settingsOf(group: Setting["group"]): Setting[] {
  return SETTINGS.filter((setting) => setting.group === group);
}

/** Returns the settings that were given as flags. */
export function givenSettings(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = SETTINGS.map(({ name }) => name).filter((name) => flags[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, flags[name]]));
}

/** Adds `--backend`, `--threads`, `--fast` and `--json`. */
export function addCommonFlags(command: Command): void {
  command
    .addOption(
      new Option(
        "--backend <name>",
        "compute backend. auto: native if it was built, otherwise wasm; wasm: bit-identical on every machine; native: the same bits, faster, in the CPU's widest vectors, if a C compiler built it; blas: the system's BLAS library, results differ between machines; reference: plain TypeScript",
      )
        .choices(BACKEND_NAMES)
        .default(DEFAULT_BACKEND),
    )
    .addOption(
      new Option("--threads <count>", "compute threads; results do not depend on the count, except with blas")
        .argParser(parseThreads)
        .default(undefined, "one per core, up to 8; 1 for sample and logits"),
    )
    .option("--fast", "wasm only: allow fused multiply-add; faster, but results may differ between machines")
    .option("--json", "print machine-readable results on stdout");
}

export interface CommonFlags {
  readonly backend: (typeof BACKEND_NAMES)[number];
  readonly threads?: number;
  readonly fast?: boolean;
  readonly json?: boolean;
}

/** Adds `--in-memory` and `--cache`. */
export function addCacheFlags(command: Command): void {
  command
    .addOption(
      new Option(
        "--in-memory <megabytes>",
        "keep texts up to this size in memory; the tokens of a larger text are written to a cache file once and read from there, with identical results",
      )
        .argParser(parseNumber)
        .default(undefined, `${IN_MEMORY_MB}`),
    )
    .addOption(
      new Option("--cache <folder>", "folder for these cache files").default(
        undefined,
        `${CACHE_NAME} beside the run directory`,
      ),
    );
}

/** Parses a number. Its range is checked where the number is used. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("It must be a number.");
  return number;
}

/** Parses a whole number of at least 1. */
export function parseCount(text: string): number {
  const count = parseNumber(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return count;
}

function optionsOf(setting: Setting, defaults?: string): Option[] {
  const flag = `--${flagOf(setting.name)}`;
  const { help, unit: name } = SETTING_HELP[setting.name];
  const unit = name === undefined || setting.default === 1 ? "" : ` ${name}`;
  const make = (flags: string, text: string) => new Option(flags, namesToFlags(text));
  const fallback = defaults ?? `${setting.default}${unit}`;
  switch (setting.kind) {
    case "switch": {
      const onOrOff = defaults ?? (setting.default ? "on" : "off");
      return [
        make(flag, help).default(undefined, onOrOff),
        make(flag.replace("--", "--no-"), `turn off ${flag}`),
      ];
    }
    case "choice":
      return [
        make(`${flag} <word>`, help)
          .choices(setting.choices)
          .argParser(choiceOf(setting.choices))
          .default(undefined, fallback),
      ];
    case "number":
      return [make(`${flag} <number>`, help).argParser(parseNumber).default(undefined, fallback)];
  }
}

function choiceOf(choices: readonly string[]): (word: string) => string {
  return (word) => {
    if (choices.includes(word)) return word;
    throw new InvalidArgumentError(
      `Allowed choices are ${choices.join(", ")}. Did you mean ${nearest(word, choices)}?`,
    );
  };
}

/** At the sizes of these models, more threads than this gain nothing. */
const USUAL_THREADS = 8;

/** The number of threads for parallel work: the flag's, or one for each processor that may be used. */
export function threadsOf({ threads, backend }: CommonFlags, sharers?: Sharers): number {
  return threads ?? (backend === "reference" ? 1 : Math.min(usableCpus(sharers), USUAL_THREADS));
}

function parseThreads(text: string): number {
  const threads = parseNumber(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_THREADS}.`);
  }
  return threads;
}
