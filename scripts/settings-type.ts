/**
 * Writes src/config/settings-type.ts from the table of settings, so that editors show the help of each setting. Run it
 * after changing the table: npx tsx scripts/settings-type.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SETTING_HELP } from "../src/config/setting-help.ts";
import { SETTINGS, type Setting } from "../src/config/settings.ts";
import { wrap } from "../src/util/format.ts";

const FILE = new URL("../src/config/settings-type.ts", import.meta.url);
const WIDTH = 100;

/** Returns the source text of the type. */
export function settingsType(): string {
  return `/** Generated from settings-table.ts and setting-help.ts by scripts/settings-type.ts. */

/** The settings of a run. */
export type Settings = {
${SETTINGS.map(property).join("\n")}
};
`;
}

function property(setting: Setting): string {
  const { name } = setting;
  const lines = wrap(sentencesOf(setting).split(" "), WIDTH);
  const comment =
    lines.length === 1
      ? `/** ${lines[0]} */`
      : ["/**", ...lines.map((line) => ` * ${line}`), " */"].join("\n  ");
  return `  ${comment}\n  readonly ${name}: ${typeOf(setting)};`;
}

function sentencesOf({ name, kinds, default: fallback, choices }: Setting): string {
  const { help, unit } = SETTING_HELP[name];
  const startsWithChoice = choices.some((choice) => help.startsWith(choice));
  const sentence = startsWithChoice ? help : help[0].toUpperCase() + help.slice(1);
  const only = kinds === undefined ? "" : ` For ${kinds.join(" and ")} only.`;
  const units = unit === undefined ? "" : ` ${unit}`;
  return `${sentence}.${only} Default: ${fallback}${units}.`;
}

function typeOf({ kind, choices }: Setting): string {
  switch (kind) {
    case "switch":
      return "boolean";
    case "number":
      return "number";
    case "choice":
      return choices.map((choice) => JSON.stringify(choice)).join(" | ");
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, settingsType());
