/** The text that `--help` prints besides the list of flags. */
import type { Option } from "commander";
import { PRESET_HELP } from "../../config/preset-help.ts";
import { PRESETS } from "../../config/presets.ts";
import { BLANK } from "../../sample/fill-blanks.ts";
import { wrap } from "../../util/format.ts";
import { flagFor, namesToFlags } from "../shared/explain-error.ts";

export const EXAMPLES = `
Examples:
  nopeek train my.txt                train on your own text
  nopeek sample --prompt "Once "     continue a prompt with your newest run
  nopeek chat                        continue one prompt after another
  nopeek train --model seq2seq       train an encoder-decoder to reverse strings
  nopeek train --help                list every flag of a command`;

/** What `sample` does with models other than a GPT. */
export const OTHER_KINDS = `
Other kinds of model (see nopeek train --model):
  encoder   replaces each ${BLANK} in the prompt with one token
  seq2seq   answers the prompt
Both need --prompt and always choose the most probable token. The flags that
control sampling are for gpt only.`;

/** Describes a flag: its meaning, its choices and its default. */
export function describeOption({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string {
  const facts = argChoices === undefined ? [] : [`choices: ${argChoices.join(", ")}`];
  const fallback = defaultValueDescription ?? defaultValue;
  if (fallback !== undefined) facts.push(`default: ${fallback}`);
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}

export const PRESET_NAMES = Object.keys(PRESETS).join(", ");

/** Lists the presets and the flags that each one sets. */
export function describePresets(): string {
  const lines = Object.entries(PRESET_HELP).flatMap(([name, help]) => {
    const words = Object.entries(PRESETS[name].settings).map(([setting, value]) => flagFor(setting, value));
    const body = [...wrap(namesToFlags(help).split(" "), 76), ...wrap(words, 76)];
    return ["", `  ${name}`, ...body.map((line) => `    ${line}`)];
  });
  return ["", "Presets, and the flags that each one sets:", ...lines].join("\n");
}
