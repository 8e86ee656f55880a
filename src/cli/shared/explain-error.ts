/** Turns messages of the library, which name settings, into messages of the command line, which name flags. */
import { flagOf, SETTINGS } from "../../config/settings.ts";
import type { NopeekError } from "../../errors.ts";

/** Options of the command line, and of sampling, that are not in the table of settings. */
const OTHER_OPTIONS: readonly string[] = [
  ...["data", "validation", "include", "config", "from", "fromStep", "preset", "out", "resume"],
  ...["restartSchedule", "step", "minutes", "cache", "inMemory"],
  ...["backend", "threads", "fast", "vary", "seeds", "layer", "head", "ignoreFields"],
  ...["escapes", "echo", "items", "newOnly"],
  ...["prompt", "tokens", "strategy", "stop", "overflow", "samples", "temperature", "topK", "topP", "minP"],
  ...["repetitionPenalty", "noRepeatNgram", "beams", "best", "lengthPenalty"],
];

const FLAGS: ReadonlyMap<string, string> = new Map(
  [...SETTINGS.map(({ name }) => name), ...OTHER_OPTIONS].map((name) => [name, `--${flagOf(name)}`]),
);

/**
 * Replaces each setting in backquotes by its flag; other words in backquotes stay as they are.
 *
 * @example
 * namesToFlags("`gradClip` 1 usually helps"); // "--grad-clip 1 usually helps"
 */
export function namesToFlags(message: string): string {
  return message.replace(/`(\w+)`/g, (quoted, name: string) => FLAGS.get(name) ?? quoted);
}

/** The message of an error as the command line prints it. */
export function explainError(error: NopeekError): string {
  return namesToFlags(error.message);
}

/** A setting and its value as words of the command line: "--layers 3", "--bias", "--no-bias". */
export function flagFor(setting: string, value: unknown): string {
  if (typeof value === "boolean") return `--${value ? "" : "no-"}${flagOf(setting)}`;
  return `--${flagOf(setting)} ${value}`;
}
