/** Flags, made from the table of settings, and those that several commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { BACKEND_NAMES, DEFAULT_BACKEND } from "../backend/open.ts";
import { flagOf, SETTINGS, type Setting } from "../train/settings.ts";

/** Adds a flag for every setting of the group. A flag that is not given leaves the setting alone. */
export function addSettingFlags(command: Command, group: Setting["group"]): void {
  for (const setting of SETTINGS) {
    if (setting.group !== group) continue;
    for (const option of optionsOf(setting)) command.addOption(option.helpGroup(`Settings of the ${group}:`));
  }
}

/** The settings that were given as flags. */
export function givenSettings(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = SETTINGS.map(({ name }) => name).filter((name) => flags[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, flags[name]]));
}

/** `--backend`, `--threads`, `--json`. */
export function addCommonFlags(command: Command): void {
  command
    .addOption(
      new Option("--backend <name>", "what computes: wasm is fast, reference is plain TypeScript")
        .choices(BACKEND_NAMES)
        .default(DEFAULT_BACKEND),
    )
    .addOption(
      new Option("--threads <count>", "this version computes on one").argParser(oneThread).default(1),
    )
    .option("--json", "machine-readable results on stdout");
}

export interface CommonFlags {
  readonly backend: (typeof BACKEND_NAMES)[number];
  readonly threads: number;
  readonly json?: boolean;
}

/** For flags that take a number; ranges are checked where the number is used. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || Number.isNaN(number)) throw new InvalidArgumentError("it must be a number.");
  return number;
}

function optionsOf(setting: Setting): Option[] {
  const flag = `--${flagOf(setting.name)}`;
  const help = `${setting.help} (default: ${setting.default}${setting.unit ? ` ${setting.unit}` : ""})`;
  switch (setting.kind) {
    case "switch":
      return [new Option(flag, help), new Option(flag.replace("--", "--no-"), `turns ${flag} off`)];
    case "choice":
      return [new Option(`${flag} <word>`, help).choices(setting.choices)];
    case "number":
      return [new Option(`${flag} <number>`, help).argParser(parseNumber)];
  }
}

function oneThread(text: string): number {
  const threads = parseNumber(text);
  if (threads !== 1) throw new InvalidArgumentError("this version computes on one thread.");
  return threads;
}
