/** Flags, made from the table of settings, and those that several commands share. */

import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { BACKEND_NAMES, DEFAULT_BACKEND } from "../../backend/open.ts";
import { flagOf, SETTINGS, type Setting } from "../../config/settings.ts";
import { CACHE_NAME, IN_MEMORY_MB } from "../../data/token-cache.ts";
import { nearest } from "../../util/edit-distance.ts";
import { namesToFlags } from "../shared/explain-error.ts";

/**
 * Adds a flag for each of some settings. A flag that is not given leaves the setting alone.
 *
 * @param defaults what `--help` says the default is; without it, the table's
 */
export function addSettingFlags(command: Command, settings: readonly Setting[], defaults?: string): void {
  for (const setting of settings) {
    const group = `Settings of the ${setting.group}:`;
    for (const option of optionsOf(setting, defaults)) command.addOption(option.helpGroup(group));
  }
}

export function settingsOf(group: Setting["group"]): Setting[] {
  return SETTINGS.filter((setting) => setting.group === group);
}

/** The settings that were given as flags. */
export function givenSettings(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = SETTINGS.map(({ name }) => name).filter((name) => flags[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, flags[name]]));
}

/** `--backend`, `--threads`, `--fast`, `--json`. */
export function addCommonFlags(command: Command): void {
  command
    .addOption(
      new Option(
        "--backend <name>",
        "what computes. wasm: fast, the same bits everywhere; blas: faster, by the system's BLAS library, other bits; auto: blas where it is there, else wasm; reference: plain TypeScript",
      )
        .choices(BACKEND_NAMES)
        .default(DEFAULT_BACKEND),
    )
    .addOption(
      new Option("--threads <count>", "threads to compute on; the same bits on any number, but for blas")
        .argParser(parseThreads)
        .default(undefined, "the machine's cores, up to 8; 1 for sample and logits"),
    )
    .option("--fast", "wasm only: round once where possible; quicker, but other bits on other machines")
    .option("--json", "machine-readable results on stdout");
}

export interface CommonFlags {
  readonly backend: (typeof BACKEND_NAMES)[number];
  readonly threads?: number;
  readonly fast?: boolean;
  readonly json?: boolean;
}

/** `--in-memory`, `--cache`. */
export function addCacheFlags(command: Command): void {
  command
    .addOption(
      new Option(
        "--in-memory <megabytes>",
        "texts of up to so much are kept in memory; of a larger one the tokens are put into a file, once, and read from there: the same bits, in little memory",
      )
        .argParser(parseNumber)
        .default(undefined, `${IN_MEMORY_MB}`),
    )
    .addOption(
      new Option("--cache <folder>", "where such files are kept").default(
        undefined,
        `${CACHE_NAME} beside the run`,
      ),
    );
}

/** For flags that take a number; ranges are checked where the number is used. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("It must be a number.");
  return number;
}

/** For flags that take a whole number of at least 1. */
export function parseCount(text: string): number {
  const count = parseNumber(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return count;
}

function optionsOf(setting: Setting, defaults?: string): Option[] {
  const flag = `--${flagOf(setting.name)}`;
  const unit = setting.unit === undefined || setting.default === 1 ? "" : ` ${setting.unit}`;
  const make = (flags: string, help: string) => new Option(flags, namesToFlags(help));
  const fallback = defaults ?? `${setting.default}${unit}`;
  switch (setting.kind) {
    case "switch": {
      const onOrOff = defaults ?? (setting.default ? "on" : "off");
      return [
        make(flag, setting.help).default(undefined, onOrOff),
        make(flag.replace("--", "--no-"), `turns ${flag} off`),
      ];
    }
    case "choice":
      return [
        make(`${flag} <word>`, setting.help)
          .choices(setting.choices)
          .argParser(choiceOf(setting.choices))
          .default(undefined, fallback),
      ];
    case "number":
      return [make(`${flag} <number>`, setting.help).argParser(parseNumber).default(undefined, fallback)];
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

/** More threads than this gain nothing at the sizes of these models. */
const USUAL_THREADS = 8;
const MOST_THREADS = 64;

/** Threads for work that can be shared: as told, or as many as the machine has. */
export function threadsOf({ threads, backend }: CommonFlags): number {
  return threads ?? (backend === "reference" ? 1 : Math.min(availableParallelism(), USUAL_THREADS));
}

function parseThreads(text: string): number {
  const threads = parseNumber(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_THREADS}.`);
  }
  return threads;
}
