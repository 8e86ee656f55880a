/** From flags to a run that can start or go on: settings, corpus, model, trainer and folder. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { DEFAULT_BACKEND, openBackend } from "../backend/open.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { ByteTokenizer } from "../text/byte-tokenizer.ts";
import { CharTokenizer } from "../text/char-tokenizer.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../train/corpus.ts";
import { NextToken } from "../train/objectives/next-token.ts";
import { presetOf } from "../train/presets.ts";
import { restore } from "../train/restore.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON, runConfigToJSON } from "../train/run-config.ts";
import { RunDirectory } from "../train/run-directory.ts";
import { flagOf, resolveSettings, SETTINGS, type SettingName, type Settings } from "../train/settings.ts";
import { Trainer } from "../train/trainer.ts";
import { type CorpusFile, readCorpus, TALES_NAME, TALES_PATH } from "./corpus-file.ts";
import { type CommonFlags, givenSettings, threadsOf } from "./flags.ts";
import { shellWord } from "./format.ts";
import { checkMemory } from "./memory-check.ts";

export interface TrainFlags extends CommonFlags {
  readonly data?: string;
  readonly preset?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly [setting: string]: unknown;
}

export interface PreparedRun {
  readonly backend: Backend;
  readonly config: RunConfig;
  readonly corpus: CorpusFile;
  readonly ids: Int32Array;
  readonly split: CorpusSplit;
  readonly trainer: Trainer;
  readonly directory: RunDirectory;
  readonly path: string;
  /** The lowest estimate of the validation loss that a checkpoint of this run had so far. */
  readonly bestLossNats: number;
  /** What to type to go on when it is stopped. */
  readonly resumeCommand: string;
}

/** Settings that a resumed run may change: they end it later or report more often, and change no step's work. */
const CHANGEABLE: readonly SettingName[] = ["steps", "evalInterval", "evalBatches", "checkpointInterval"];

/** A new run. Nothing is written before everything has been checked. */
export async function startRun(flags: TrainFlags): Promise<PreparedRun> {
  const presetName = flags.preset ?? (flags.data === undefined ? "tales" : null);
  const preset = presetName === null ? {} : presetOf(presetName).settings;
  const settings = resolveSettings(preset, givenSettings(flags));
  const corpus = await readCorpus(flags.data ?? TALES_PATH);
  const tokenizer = settings.tokenizer === "char" ? CharTokenizer.fromText(corpus.text) : new ByteTokenizer();
  const name = corpus.path === TALES_PATH ? TALES_NAME : corpus.path;
  const record = { path: name, sha256: corpus.sha256, characters: countCodePoints(corpus.text) };
  const config = { settings, tokenizer, corpus: record };
  const path = flags.out ?? nextFreeFolder(basename(corpus.path).replace(/\.[^.]*$/, ""));
  const built = await build(config, corpus, flags);
  const directory = RunDirectory.create(path, runConfigToJSON(config));
  const resumeCommand = commandToResume(path, config, config, flags);
  return { ...built, config, corpus, directory, path, bestLossNats: Number.POSITIVE_INFINITY, resumeCommand };
}

/** The run in `--out`, as its latest checkpoint left it. */
export async function resumeRun(flags: TrainFlags): Promise<PreparedRun> {
  const path = flags.out;
  if (path === undefined)
    throw new ConfigError("--resume goes on with the run in --out: name its folder there");
  const directory = RunDirectory.open(path);
  const saved = runConfigFromJSON(directory.config, join(path, "config.json"));
  const config = { ...saved, settings: resumedSettings(saved.settings, flags) };
  const savedPath = saved.corpus.path === TALES_NAME ? TALES_PATH : saved.corpus.path;
  const corpus = await readCorpus(flags.data ?? savedPath);
  if (corpus.sha256 !== saved.corpus.sha256) {
    throw new ConfigError(
      `${corpus.path}: is not the text that this run was started on (${saved.corpus.path}, ${saved.corpus.characters} characters): its SHA-256 differs; pass the same text with --data`,
    );
  }
  const built = await build(config, corpus, flags);
  const bestLossNats = restoreLatest(built.trainer, directory);
  checkStepsLeft(built.trainer.stepsDone, config.settings.steps, path);
  directory.resumeLog(built.trainer.stepsDone);
  const resumeCommand = commandToResume(path, config, saved, flags);
  return { ...built, config, corpus, directory, path, bestLossNats, resumeCommand };
}

/** Puts the trainer where the run's latest checkpoint was; gives the best loss until then. */
function restoreLatest(trainer: Trainer, directory: RunDirectory): number {
  // A run that was stopped before its first checkpoint starts again, which is the same.
  if (directory.latest() === null) return Number.POSITIVE_INFINITY;
  const { name, step, model, optimizer, state } = directory.loadStep("latest");
  restore(trainer.model.parameters(), model, join(directory.path, name, "model.safetensors"));
  restore(trainer.optimizerState(), optimizer, join(directory.path, name, "optimizer.safetensors"));
  trainer.resumeAt(step);
  return bestLossOf(state);
}

function checkStepsLeft(done: number, steps: number, path: string): void {
  if (steps >= done) return;
  throw new ConfigError(`--steps ${steps}: ${path} has made ${done} steps already; ask for more than that`);
}

async function build(config: RunConfig, corpus: CorpusFile, flags: TrainFlags) {
  const { settings, tokenizer } = config;
  const ids = tokenizer.encode(corpus.text);
  const split = splitCorpus(ids);
  checkSplit(split, settings.contextLength);
  const gptConfig = gptConfigOf(settings, tokenizer.vocabSize);
  checkMemory(gptConfig, settings.batchSize);
  const backend = await openBackend(flags.backend, threadsOf(flags));
  const model = new GPT(new Context(backend), gptConfig, Random.of(settings.seed, "weights"));
  return { backend, ids, split, trainer: new Trainer(model, split.train, settings) };
}

/** @throws ConfigError when a flag would change what the steps of the run compute */
function resumedSettings(saved: Settings, flags: TrainFlags): Settings {
  const given = givenSettings(flags);
  const resumed = resolveSettings(saved, given);
  const changed = SETTINGS.map(({ name }) => name).filter((name) => resumed[name] !== saved[name]);
  const refused = changed.filter((name) => !CHANGEABLE.includes(name)).map((name) => `--${flagOf(name)}`);
  if (flags.preset !== undefined) refused.unshift("--preset");
  if (refused.length > 0) {
    const free = CHANGEABLE.map((name) => `--${flagOf(name)}`).join(", ");
    throw new ConfigError(
      `--resume keeps the settings of the run; only ${free} may change: got ${refused.join(", ")}`,
    );
  }
  return resumed;
}

/** Says again what config.json does not keep: settings changed since the start, another file or backend. */
function commandToResume(path: string, config: RunConfig, saved: RunConfig, flags: TrainFlags): string {
  const words = ["npx nopeek train --resume --out", shellWord(path)];
  for (const name of CHANGEABLE) {
    const value = config.settings[name];
    if (value !== saved.settings[name]) words.push(`--${flagOf(name)} ${value}`);
  }
  if (flags.data !== undefined && flags.data !== saved.corpus.path)
    words.push(`--data ${shellWord(flags.data)}`);
  if (flags.backend !== DEFAULT_BACKEND) words.push(`--backend ${flags.backend}`);
  return words.join(" ");
}

const savedState = z.object({ bestLossNats: z.number() });

function bestLossOf(state: unknown): number {
  return savedState.safeParse(state).data?.bestLossNats ?? Number.POSITIVE_INFINITY;
}

/** checkpoints/tales-1, -2, …: where a run goes when nobody says. */
function nextFreeFolder(name: string): string {
  const taken = new Set(existsSync("checkpoints") ? readdirSync("checkpoints") : []);
  for (let number = 1; number < 100_000; number++) {
    if (!taken.has(`${name}-${number}`)) return join("checkpoints", `${name}-${number}`);
  }
  throw new CheckpointError(`checkpoints/ holds too many runs named ${name}: name a folder with --out`);
}

function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) count += (text.charCodeAt(i) & 0xfc00) === 0xdc00 ? 0 : 1;
  return count;
}
