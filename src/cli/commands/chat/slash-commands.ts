/** The commands of a chat that start with a slash: settings, the model, help. */
import { ConfigError, NopeekError } from "../../../errors.ts";
import { nearest } from "../../../util/edit-distance.ts";
import { largestOf } from "../../../util/extremes.ts";
import { withEscapes } from "../../options/escapes.ts";
import { explainError } from "../../shared/explain-error.ts";
import { checkSampleFlags, type SampleFlags } from "../sample/flags.ts";

/** What a line of input asks for. */
export type Request =
  | { readonly kind: "say"; readonly prompt: string }
  | { readonly kind: "set"; readonly flags: SampleFlags; readonly shown: string }
  | { readonly kind: "model"; readonly run: string }
  | { readonly kind: "reset" | "help" | "settings" | "quit" };

type NumberSetting =
  | "temperature"
  | "topK"
  | "topP"
  | "minP"
  | "repetitionPenalty"
  | "noRepeatNgram"
  | "tokens"
  | "seed";

interface SlashCommand {
  readonly value?: string;
  readonly help: string;
  /** The setting that it changes. */
  readonly setting?: NumberSetting;
  /** Whether "off" is a value. */
  readonly optional?: boolean;
}

const COMMANDS: Readonly<Record<string, SlashCommand>> = {
  temperature: {
    value: "NUMBER",
    help: "below 1 sharpens, 0 is greedy",
    setting: "temperature",
  },
  "top-k": { value: "COUNT|off", help: "keep the k most probable tokens", setting: "topK", optional: true },
  "top-p": {
    value: "SHARE|off",
    help: "keep the best tokens up to this share",
    setting: "topP",
    optional: true,
  },
  "min-p": {
    value: "SHARE|off",
    help: "keep tokens with this share of the best",
    setting: "minP",
    optional: true,
  },
  "repetition-penalty": {
    value: "NUMBER|off",
    help: "above 1 makes earlier tokens less likely",
    setting: "repetitionPenalty",
    optional: true,
  },
  "no-repeat-ngram": {
    value: "SIZE|off",
    help: "never repeat this many tokens",
    setting: "noRepeatNgram",
    optional: true,
  },
  tokens: { value: "COUNT", help: "the most tokens of a continuation", setting: "tokens" },
  seed: { value: "NUMBER", help: "random seed", setting: "seed" },
  stop: { value: "TEXT", help: "stop before this text; alone: no more stops" },
  model: { value: "RUN", help: "load another model and forget the text" },
  reset: { help: "forget the text so far" },
  settings: { help: "show the settings" },
  help: { help: "show this list" },
  quit: { help: "leave; Ctrl-D does too" },
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS).map((name) => `/${name}`);

/**
 * Reads a line of input: a command if it starts with a slash, otherwise a prompt. Two slashes start a prompt with one.
 *
 * @throws NopeekError for an unknown command, or a value that the setting cannot have
 */
export function parseLine(line: string, flags: SampleFlags): Request {
  if (!line.startsWith("/")) return { kind: "say", prompt: line };
  if (line.startsWith("//")) return { kind: "say", prompt: line.slice(1) };
  const [, name = "", value = ""] = /^\/(\S*)\s*(.*)$/s.exec(line.trimEnd()) ?? [];
  if (!Object.hasOwn(COMMANDS, name)) {
    const begun = COMMAND_NAMES.find((known) => known.startsWith(`/${name}`));
    throw new ConfigError(
      `there is no command /${name}; did you mean ${begun ?? nearest(`/${name}`, COMMAND_NAMES)}? /help lists them; a text that starts with a slash starts with two: /${line}`,
    );
  }
  const { setting, optional = false } = COMMANDS[name];
  if (setting !== undefined) return setNumber(flags, name, setting, value, optional);
  if (name === "stop") return setStop(flags, value);
  if (name === "model" && value !== "") return { kind: "model", run: value };
  if (name === "reset" || name === "help" || name === "settings" || name === "quit") return { kind: name };
  throw new ConfigError("/model needs the name or the folder of a run");
}

function setNumber(
  flags: SampleFlags,
  name: string,
  setting: NumberSetting,
  value: string,
  optional: boolean,
): Request {
  const { [setting]: now, ...others } = flags;
  if (value === "") throw new ConfigError(`/${name} is ${now ?? "off"}; it needs a new value`);
  if (optional && value === "off")
    return {
      kind: "set",
      flags: checked({ ...others, tokens: flags.tokens, seed: flags.seed }),
      shown: `/${name} off`,
    };
  const number = Number(value);
  if (!Number.isFinite(number)) throw new ConfigError(`/${name} must be a number: got ${value}`);
  return { kind: "set", flags: checked({ ...flags, [setting]: number }), shown: `/${name} ${number}` };
}

function setStop(flags: SampleFlags, value: string): Request {
  if (value === "") return { kind: "set", flags: { ...flags, stop: [] }, shown: "/stop off" };
  const stop = [...(flags.stop ?? []), withEscapes(value, "/stop")];
  return {
    kind: "set",
    flags: checked({ ...flags, stop }),
    shown: stop.map((text) => `/stop ${JSON.stringify(text)}`).join("  "),
  };
}

/** @throws ConfigError that names the command, not the flag */
function checked(flags: SampleFlags): SampleFlags {
  try {
    checkSampleFlags(flags);
    return flags;
  } catch (error) {
    if (!(error instanceof NopeekError)) throw error;
    throw new ConfigError(
      explainError(error)
        .replace(/--(?=[a-z])/g, "/")
        .replace("leave it out to", "off to"),
      { cause: error },
    );
  }
}

/** The list of commands, one a line. */
export function helpLines(): string[] {
  const heads = Object.entries(COMMANDS).map(([name, { value = "" }]) => `  /${name} ${value}`.trimEnd());
  const width = largestOf(heads.map(({ length }) => length));
  return [
    "Type a text, and the model continues it. Enter alone continues it further.",
    ...Object.values(COMMANDS).map(({ help }, i) => `${heads[i].padEnd(width)}  ${help}`),
  ];
}

/** The settings as the commands that set them. */
export function settingsLine(flags: SampleFlags, temperature: number): string {
  const words = Object.entries(COMMANDS).flatMap(([name, { setting }]) => {
    if (setting === undefined) return [];
    const value = flags[setting] ?? (setting === "temperature" ? temperature : "off");
    return [`/${name} ${value}`];
  });
  return [...words, ...(flags.stop ?? []).map((text) => `/stop ${JSON.stringify(text)}`)].join("  ");
}
