/** What `--help` says, beyond the names of flags. */
import type { Option } from "commander";
import { PRESETS } from "../../config/presets.ts";
import { BLANK } from "../../sample/fill-blanks.ts";
import { wrap } from "../../util/format.ts";
import { flagFor, namesToFlags } from "../shared/explain-error.ts";

export const EXAMPLES = `
Examples:
  nopeek train --data my.txt         learn from a text of yours
  nopeek sample --prompt "Once "     let the model that comes with nopeek go on
  nopeek train --model seq2seq       the family: an encoder and a decoder that
                                     turn strings round
  nopeek train --help                every flag of a command`;

/** What `sample` does with models that do not go on with a text. */
export const OTHER_KINDS = `
Models of other kinds (see nopeek train --model):
  encoder   fills in each ${BLANK} of the prompt, a token for each
  seq2seq   answers the prompt
Both take --prompt and the most probable tokens; the other flags are for gpt.`;

/** A flag: its meaning, its choices, its default. */
export function describeOption({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string {
  const facts = argChoices === undefined ? [] : [argChoices.join(", ")];
  const fallback = defaultValueDescription ?? defaultValue;
  if (fallback !== undefined) facts.push(`default: ${fallback}`);
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}

/** The presets, and the flags that each stands for. */
export function describePresets(): string {
  const lines = Object.entries(PRESETS).flatMap(([name, { help, settings }]) => {
    const words = Object.entries(settings).map(([setting, value]) => flagFor(setting, value));
    const body = [...wrap(namesToFlags(help).split(" "), 76), ...wrap(words, 76)];
    return ["", `  ${name}`, ...body.map((line) => `    ${line}`)];
  });
  return ["", "Presets, and the flags that each stands for:", ...lines].join("\n");
}
