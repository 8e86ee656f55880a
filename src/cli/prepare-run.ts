/** From flags to a run that can start or go on: settings, corpus, model, trainer and folder. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { openBackend } from "../backend/open.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { ByteTokenizer } from "../text/byte-tokenizer.ts";
import { CharTokenizer } from "../text/char-tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../train/corpus.ts";
import { presetOf } from "../train/presets.ts";
import { restore } from "../train/restore.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON, runConfigToJSON } from "../train/run-config.ts";
import { RunDirectory } from "../train/run-directory.ts";
import { flagOf, resolveSettings, SETTINGS, type SettingName, type Settings } from "../train/settings.ts";
import { Trainer } from "../train/trainer.ts";
import { type CorpusFile, readCorpus, TALES_PATH } from "./corpus-file.ts";
import { type CommonFlags, givenSettings } from "./flags.ts";
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
  const record = { path: corpus.path, sha256: corpus.sha256, characters: countCodePoints(corpus.text) };
  const config = { settings, tokenizer, corpus: record };
  const path = flags.out ?? nextFreeFolder(basename(corpus.path).replace(/\.[^.]*$/, ""));
  const built = await build(config, corpus, flags);
  const directory = RunDirectory.create(path, runConfigToJSON(config));
  return { ...built, config, corpus, directory, path, bestLossNats: Number.POSITIVE_INFINITY };
}

/** The run in `--out`, as its latest checkpoint left it. */
export async function resumeRun(flags: TrainFlags): Promise<PreparedRun> {
  const path = flags.out;
  if (path === undefined)
    throw new ConfigError("--resume goes on with the run in --out: name its folder there");
  const directory = RunDirectory.open(path);
  const saved = runConfigFromJSON(directory.config, join(path, "config.json"));
  const config = { ...saved, settings: resumedSettings(saved.settings, flags) };
  const corpus = await readCorpus(flags.data ?? saved.corpus.path);
  if (corpus.sha256 !== saved.corpus.sha256) {
    throw new ConfigError(
      `${corpus.path}: is not the text that this run was started on (${saved.corpus.path}, ${saved.corpus.characters} characters): its SHA-256 differs; pass the same text with --data`,
    );
  }
  const built = await build(config, corpus, flags);
  const { trainer } = built;
  // A run that was stopped before its first checkpoint starts again, which is the same.
  if (directory.latest() === null)
    return { ...built, config, corpus, directory, path, bestLossNats: Number.POSITIVE_INFINITY };
  const step = directory.loadStep("latest");
  restore(trainer.model.parameters(), step.model, join(path, step.name, "model.safetensors"));
  restore(trainer.optimizerState(), step.optimizer, join(path, step.name, "optimizer.safetensors"));
  trainer.resumeAt(step.step);
  directory.resumeLog(step.step);
  return { ...built, config, corpus, directory, path, bestLossNats: bestLossOf(step.state) };
}

async function build(config: RunConfig, corpus: CorpusFile, flags: TrainFlags) {
  const { settings, tokenizer } = config;
  const ids = encode(tokenizer, corpus);
  const split = splitCorpus(ids);
  checkSplit(split, settings.contextLength);
  const gptConfig = gptConfigOf(settings, tokenizer.vocabSize);
  checkMemory(gptConfig, settings.batchSize);
  const backend = await openBackend(flags.backend);
  const model = new GPT(new Context(backend), gptConfig, Random.of(settings.seed, "weights"));
  return { backend, ids, split, trainer: new Trainer(model, split.train, settings) };
}

function encode(tokenizer: Tokenizer, corpus: CorpusFile): Int32Array {
  return tokenizer.encode(corpus.text);
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
