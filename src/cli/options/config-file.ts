/** `--config`: settings from a JSON file, either the config.json of another run or a plain object of settings. */
import * as z from "zod/mini";
import { parseSettings } from "../../config/settings.ts";
import { ConfigError, NopeekError } from "../../errors.ts";
import { type CorpusRecord, runConfigFromJSON, runConfigToJSON } from "../../run/config.ts";
import { readRegular } from "../../run/regular-file.ts";
import type { SettingsChange } from "../../run/settings-history.ts";
import { failureReason } from "../../util/failure-reason.ts";
import { nestsTooDeep } from "../../util/json-depth.ts";

/** In bytes. The vocabulary of all Unicode characters takes 4 MB. */
const LIMIT = 1 << 23;

export interface ConfigFile {
  readonly settings: Readonly<Record<string, unknown>>;
  /** The other run's training text, or null if the file does not say. */
  readonly corpus: CorpusRecord | null;
  /** The model that the other run was fine-tuned from. */
  readonly from?: string;
  /** What resumes of the other run changed. */
  readonly changes?: readonly SettingsChange[];
}

const ofRun = z.looseObject({ format: z.literal("nopeek run"), config: z.optional(z.unknown()) });
const settingsAlone = z.record(z.string(), z.unknown());

/**
 * Reads and checks a settings file.
 *
 * @throws ConfigError if the file cannot be read, is not valid JSON or has an unknown setting or value
 */
export function readConfigFile(path: string): ConfigFile {
  try {
    const text = new TextDecoder().decode(readRegular(path, LIMIT));
    if (nestsTooDeep(text)) throw new ConfigError("is not a config: its brackets are nested too deeply");
    const json: unknown = JSON.parse(text);
    const run = ofRun.safeParse(json);
    if (run.success) {
      const { tokenizer, ...rest } = runConfigToJSON(runConfigFromJSON(run.data.config, path));
      return rest;
    }
    const alone = settingsAlone.safeParse(json);
    if (!alone.success) throw new ConfigError("must contain an object of settings");
    // zod skips this key, which is not a setting either.
    if (Object.hasOwn(Object(json), "__proto__")) throw new ConfigError('there is no setting "__proto__"');
    parseSettings(alone.data);
    return { settings: alone.data, corpus: null };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new ConfigError(`${path}: ${reasonOf(cause, path)}`, { cause });
  }
}

function reasonOf(error: NodeJS.ErrnoException, path: string): string {
  if (error instanceof NopeekError) return error.message.replace(`${path}: `, "");
  if (error instanceof SyntaxError) return `is not JSON: ${error.message}`;
  if (error.code === "ENOENT")
    return "there is no such file; --config needs a JSON file of settings, such as the config.json of a run";
  if (error.code === "EISDIR") return "is a folder; --config needs the config.json in it";
  return `cannot be read: ${failureReason(error) ?? error.message}`;
}
