/** What `--resume` may change, and the command that resumes a run. */
import type { Backend } from "../../../backend/backend.ts";
import { DEFAULT_BACKEND } from "../../../backend/open.ts";
import {
  flagOf,
  parseSettings,
  SETTINGS,
  type SettingName,
  type Settings,
} from "../../../config/settings.ts";
import { STDIN } from "../../../data/text-files.ts";
import { ConfigError } from "../../../errors.ts";
import type { RunConfig } from "../../../run/config.ts";
import { shellWord } from "../../../util/format.ts";
import { givenSettings } from "../../options/settings-flags.ts";
import { isFast } from "../../shared/open-backend.ts";
import type { RunPlan, TrainFlags } from "./plan-run.ts";

/**
 * Settings that a resumed run may change. Those of evaluation and saving change no step. `steps` moves the end, and with
 * it the learning rate of later steps, unless the schedule is constant.
 */
const CHANGEABLE: readonly SettingName[] = [
  "steps",
  "evalInterval",
  "patience",
  "evalBatches",
  "measureTokens",
  "checkpointInterval",
  "keepCheckpoints",
];

/** @throws ConfigError when a flag would change the result of the run's steps */
export function resumedSettings(saved: Settings, flags: TrainFlags): Settings {
  const given = givenSettings(flags);
  const resumed = parseSettings(saved, given);
  const changed = SETTINGS.map(({ name }) => name).filter((name) => resumed[name] !== saved[name]);
  const refused = changed.filter((name) => !CHANGEABLE.includes(name)).map((name) => `--${flagOf(name)}`);
  if (flags.preset !== undefined) refused.unshift("--preset");
  if (flags.from !== undefined) refused.unshift("--from");
  if (flags.config !== undefined) refused.unshift("--config");
  if (refused.length > 0) {
    const free = CHANGEABLE.map((name) => `--${flagOf(name)}`).join(", ");
    throw new ConfigError(
      `--resume keeps the settings of the run; only ${free} may change: got ${refused.join(", ")}`,
    );
  }
  return resumed;
}

/**
 * The command that resumes a run. It repeats what config.json does not hold: settings changed since the start, another
 * text or backend, and the number of threads if the bits depend on it.
 */
export function resumeCommand(plan: RunPlan, path: string, backend: Backend): string {
  const { config, flags } = plan;
  const saved: RunConfig = plan.kind === "resume" ? plan.saved : config;
  const words = ["npx nopeek train --resume --out", shellWord(path)];
  for (const name of CHANGEABLE) {
    const value = config.settings[name];
    if (value !== saved.settings[name]) words.push(`--${flagOf(name)} ${value}`);
  }
  const data = flags.data?.map(shellWord).join(" ");
  const known = (saved.corpus?.paths ?? [saved.corpus?.path ?? ""]).map(shellWord).join(" ");
  if (data !== undefined && (data !== known || flags.data?.includes(STDIN))) words.push(`--data ${data}`);
  if (flags.validation !== undefined) words.push(`--validation ${flags.validation.map(shellWord).join(" ")}`);
  if (flags.cache !== undefined) words.push(`--cache ${shellWord(flags.cache)}`);
  if (backend.name !== DEFAULT_BACKEND) words.push(`--backend ${backend.name}`);
  if (isFast(backend)) words.push("--fast");
  if (backend.library !== null) words.push(`--threads ${backend.threads}`);
  return words.join(" ");
}
