/** From flags to a run that can start or go on: settings, corpus, model, trainer and folder. */

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { Context } from "../../../autograd/context.ts";
import type { Backend } from "../../../backend/backend.ts";
import { DEFAULT_BACKEND } from "../../../backend/open.ts";
import { type Preset, presetOf } from "../../../config/presets.ts";
import {
  checkBelonging,
  flagOf,
  resolveSettings,
  SETTINGS,
  type SettingName,
  type Settings,
} from "../../../config/settings.ts";
import type { Corpus } from "../../../data/corpus.ts";
import { STDIN } from "../../../data/text-files.ts";
import type { CacheFlags } from "../../../data/token-cache.ts";
import { cachePlace } from "../../../data/token-cache.ts";
import { type TokenizedText, tokenize } from "../../../data/tokenized-corpus.ts";
import { CheckpointError, ConfigError } from "../../../errors.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON, runConfigToJSON } from "../../../run/config.ts";
import { RunDirectory } from "../../../run/directory.ts";
import type { RunLock } from "../../../run/lock.ts";
import { restore } from "../../../run/restore.ts";
import { EarlyStopping } from "../../../train/early-stopping.ts";
import { Trainer } from "../../../train/trainer.ts";
import { shellWord } from "../../../util/format.ts";
import { readConfigFile } from "../../options/config-file.ts";
import { type CommonFlags, givenSettings, threadsOf } from "../../options/settings-flags.ts";
import { checkMemory } from "../../shared/memory-check.ts";
import { isFast, openBackend } from "../../shared/open-backend.ts";
import { lockRun, processes } from "../../shared/process-lock.ts";
import { tellOnStderr } from "../../terminal/output.ts";
import { PretrainedModel } from "./fine-tune.ts";
import { PREPARE } from "./kinds/index.ts";
import type { TrainableKind } from "./kinds/kind.ts";
import { corpusFor, recordOf, textToResume, tokenizerFor } from "./run-corpus.ts";

export interface TrainFlags extends CommonFlags, CacheFlags {
  readonly data?: readonly string[];
  readonly config?: string;
  readonly from?: string;
  readonly preset?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly quiet?: boolean;
  /** Left out: true. */
  readonly samples?: boolean;
  readonly color?: boolean;
  readonly logEvery?: number;
  readonly [setting: string]: unknown;
}

export interface PreparedRun {
  readonly backend: Backend;
  readonly config: RunConfig;
  readonly study: TrainableKind;
  readonly trainer: Trainer;
  readonly directory: RunDirectory;
  readonly path: string;
  /** While it is held, no other program writes to the run. */
  readonly lock: RunLock;
  /** What the evaluations of the whole validation split have shown so far. */
  readonly patience: EarlyStopping;
  /** What computed the checkpoint that this run goes on from; null where there is none, or it does not say. */
  readonly savedBy: string | null;
  /** What to type to go on when it is stopped. */
  readonly resumeCommand: string;
}

/** Settings that a resumed run may change: they end it later or report more often, and change no step's work. */
const CHANGEABLE: readonly SettingName[] = [
  "steps",
  "evalInterval",
  "patience",
  "evalBatches",
  "measureTokens",
  "checkpointInterval",
  "keepCheckpoints",
];

/** A new run. Nothing is written before everything has been checked. */
export async function startRun(flags: TrainFlags): Promise<PreparedRun> {
  const given = givenSettings(flags);
  if (flags.config !== undefined && flags.preset !== undefined)
    throw new ConfigError("--config and --preset each say where settings start: got both; choose one");
  const file = flags.config === undefined ? null : readConfigFile(flags.config);
  const from = flags.from ?? file?.from;
  const source = from === undefined ? null : new PretrainedModel(from);
  if (flags.from !== undefined && flags.preset !== undefined)
    throw new ConfigError("--from keeps the settings of its model: it takes no --preset");
  const base = file?.settings ?? source?.config.settings ?? presetFor(flags, given)?.settings ?? {};
  const settings = resolveSettings(base, given);
  checkBelonging(settings.model, source === null ? { ...base, ...given } : given);
  source?.check(settings);
  if (source !== null && file === null && flags.data === undefined && settings.model !== "seq2seq")
    throw new ConfigError("--from lets a model learn on from another text: name it with --data");
  if (flags.out !== undefined) RunDirectory.checkFree(flags.out);
  const place = cachePlace(flags, flags.out ?? join(RUNS, "run"), processes());
  const tell = tellOnStderr();
  const corpus = await corpusFor(settings, flags.data, file?.corpus ?? null, place, tell);
  const config = {
    settings,
    tokenizer: source?.config.tokenizer ?? tokenizerFor(settings, corpus),
    corpus: corpus === null ? null : recordOf(corpus),
    ...(from !== undefined && { from }),
  };
  const path = flags.out ?? nextFreeFolder(nameOf(settings, corpus));
  checkSize(config);
  const text =
    corpus === null ? null : await tokenize(corpus, config.tokenizer, settings.unknown, place, tell);
  const built = await build(config, text, flags, source);
  RunDirectory.checkFree(path);
  const lock = lockRun(path);
  const keep = settings.keepCheckpoints;
  const directory = RunDirectory.create(path, runConfigToJSON(config), { keep });
  const resumeCommand = commandToResume(path, config, config, flags, built.backend);
  return { ...built, config, directory, path, lock, ...nothingSaved(), resumeCommand };
}

/** The preset by name; without one, what shows a kind of model at its best without a text of one's own. */
function presetFor(flags: TrainFlags, given: Readonly<Record<string, unknown>>): Preset | null {
  if (flags.preset !== undefined) return presetOf(flags.preset);
  if (given.model === "seq2seq") return presetOf(String(given.task ?? "reverse"));
  if (flags.data !== undefined) return null;
  return presetOf(given.model === "encoder" ? "blanks" : "tales");
}

/** What a run is called after. */
function nameOf({ task }: Settings, corpus: Corpus | null): string {
  if (corpus === null) return task;
  const [first] = corpus.paths;
  return first === STDIN ? "stdin" : basename(first).replace(/\.[^.]*$/, "");
}

/** The run in `--out`, as its latest checkpoint left it. */
export async function resumeRun(flags: TrainFlags): Promise<PreparedRun> {
  const path = flags.out;
  if (path === undefined)
    throw new ConfigError("--resume goes on with the run in --out: name its folder there");
  if (!RunDirectory.isRun(path)) RunDirectory.open(path);
  const lock = lockRun(path);
  const directory = RunDirectory.open(path);
  const saved = runConfigFromJSON(directory.config, join(path, "config.json"));
  const config = { ...saved, settings: resumedSettings(saved.settings, flags) };
  directory.keep = config.settings.keepCheckpoints;
  checkSize(config);
  const text = await textToResume(
    config,
    path,
    flags.data,
    cachePlace(flags, path, processes()),
    tellOnStderr(),
  );
  const built = await build(config, text, flags);
  if (saved.from !== undefined && directory.latest() === null)
    throw new ConfigError(
      `${path}: was stopped before it had kept what it learns on from: start it again, with --from ${saved.from}`,
    );
  const saves = restoreLatest(built.trainer, directory);
  checkStepsLeft(built.trainer.stepsDone, config.settings.steps, path);
  directory.resumeLog(built.trainer.stepsDone, config.settings.steps);
  const resumeCommand = commandToResume(path, config, saved, flags, built.backend);
  return { ...built, config, directory, path, lock, ...saves, resumeCommand };
}

type Saves = Pick<PreparedRun, "patience" | "savedBy">;

function nothingSaved(): Saves {
  return { patience: new EarlyStopping(), savedBy: null };
}

/** Puts the trainer where the run's latest checkpoint was; gives what is known until then. */
function restoreLatest(trainer: Trainer, directory: RunDirectory): Saves {
  // A run that was stopped before its first checkpoint starts again, which is the same.
  if (directory.latest() === null) return nothingSaved();
  const { name, step, model, optimizer, state } = directory.loadStep("latest");
  restore(trainer.model.parameters(), model, join(directory.path, name, "model.safetensors"));
  restore(trainer.optimizerState(), optimizer, join(directory.path, name, "optimizer.safetensors"));
  trainer.resumeAt(step, state);
  return savesOf(state);
}

function checkStepsLeft(done: number, steps: number, path: string): void {
  if (steps >= done) return;
  throw new ConfigError(`--steps ${steps}: ${path} has made ${done} steps already; ask for more than that`);
}

async function build(
  config: RunConfig,
  text: TokenizedText | null,
  flags: TrainFlags,
  source: PretrainedModel | null = null,
) {
  const { settings } = config;
  const makeStudy = await PREPARE[settings.model](config, text);
  const backend = await openBackend(flags, threadsOf(flags));
  const study = makeStudy(new Context(backend));
  source?.fill(study.model.parameters());
  return { backend, study, trainer: new Trainer(study.model, study.objective, settings) };
}

/** Refuses what cannot fit before a long text is tokenized for it. */
function checkSize({ settings, tokenizer }: RunConfig): void {
  const { batchSize, model, averageSteps } = settings;
  checkMemory(gptConfigOf(settings, tokenizer.vocabSize), batchSize, model, averageSteps > 0);
}

/** @throws ConfigError when a flag would change what the steps of the run compute */
function resumedSettings(saved: Settings, flags: TrainFlags): Settings {
  const given = givenSettings(flags);
  const resumed = resolveSettings(saved, given);
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
 * Says again what config.json does not keep: settings changed since the start, another file or backend, and threads
 * where the bits depend on them.
 */
function commandToResume(
  path: string,
  config: RunConfig,
  saved: RunConfig,
  flags: TrainFlags,
  backend: Backend,
): string {
  const words = ["npx nopeek train --resume --out", shellWord(path)];
  for (const name of CHANGEABLE) {
    const value = config.settings[name];
    if (value !== saved.settings[name]) words.push(`--${flagOf(name)} ${value}`);
  }
  const data = flags.data?.map(shellWord).join(" ");
  const known = (saved.corpus?.paths ?? [saved.corpus?.path ?? ""]).map(shellWord).join(" ");
  if (data !== undefined && (data !== known || flags.data?.includes(STDIN))) words.push(`--data ${data}`);
  if (flags.cache !== undefined) words.push(`--cache ${shellWord(flags.cache)}`);
  if (backend.name !== DEFAULT_BACKEND) words.push(`--backend ${backend.name}`);
  if (isFast(backend)) words.push("--fast");
  if (backend.library !== null) words.push(`--threads ${backend.threads}`);
  return words.join(" ");
}

const savedState = z.object({ computedBy: z.string().nullable().catch(null) });

function savesOf(state: unknown): Saves {
  return { patience: EarlyStopping.fromJSON(state), savedBy: savedState.parse(state).computedBy };
}

const RUNS = "checkpoints";

/** checkpoints/tales-1, -2, …: where a run goes when nobody says. */
function nextFreeFolder(name: string): string {
  const taken = new Set(existsSync(RUNS) ? readdirSync(RUNS) : []);
  for (let number = 1; number < 100_000; number++) {
    if (!taken.has(`${name}-${number}`)) return join(RUNS, `${name}-${number}`);
  }
  throw new CheckpointError(`checkpoints/ holds too many runs named ${name}: name a folder with --out`);
}
