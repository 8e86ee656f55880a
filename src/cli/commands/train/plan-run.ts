/**
 * The first of the three steps of a training run: everything is read and checked here, and nothing is created, locked
 * or allocated. (One exception: a text from a pipe that is too large for memory is buffered beside the token cache,
 * because it can be read only once.)
 */
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { checkBackend } from "../../../backend/names.ts";
import { type Preset, presetOf } from "../../../config/presets.ts";
import { SCHEDULE_SETTINGS } from "../../../config/schedule-settings.ts";
import { checkBelonging, parseSettings, type Settings } from "../../../config/settings.ts";
import type { Corpus } from "../../../data/corpus.ts";
import { type OpenStdin, STDIN } from "../../../data/text-files.ts";
import { type CacheFlags, type CachePlace, cachePlace } from "../../../data/token-cache.ts";
import { countTokens, findTokenized, type TokenizedText } from "../../../data/tokenized-corpus.ts";
import { ConfigError } from "../../../errors.ts";
import { checkGPTConfig } from "../../../nn/config.ts";
import type { Checkpoint } from "../../../run/checkpoint.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../../../run/config.ts";
import { checkUnlocked, type Processes } from "../../../run/lock.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { readLatestCheckpoint, readRunConfig } from "../../../run/on-disk.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { shellWord } from "../../../util/format.ts";
import type { ProgressReporter } from "../../../util/progress-reporter.ts";
import { readConfigFile } from "../../options/config-file.ts";
import { type CommonFlags, givenSettings, threadsOf } from "../../options/settings-flags.ts";
import { awaitLease } from "../../shared/await-lease.ts";
import { newestRun, RUNS, runAt, unknownRun } from "../../shared/find-model.ts";
import { checkMemory } from "../../shared/memory-check.ts";
import { processes } from "../../shared/process-lock.ts";
import {
  checkSameText,
  type DataFlags,
  readCorpusFor,
  recordOf,
  tokenizerFor,
} from "../../shared/read-corpus.ts";
import { checkWorkingFolder } from "../../shared/working-folder.ts";
import { stderrReporter } from "../../terminal/output.ts";
import { checkFree } from "./claim-folder.ts";
import { PretrainedModel } from "./fine-tune.ts";
import { checkMinutes, fitBeforeText, fitToText } from "./fit-to-text.ts";
import { checkKind } from "./kinds/index.ts";
import type { TextLength } from "./kinds/text.ts";
import { resumedConfig } from "./resumed-config.ts";

export interface TrainFlags extends CommonFlags, CacheFlags {
  /** Texts that are named without a flag. */
  readonly texts?: readonly string[];
  readonly data?: readonly string[];
  readonly validation?: readonly string[];
  readonly include?: readonly string[];
  readonly config?: string;
  readonly from?: string;
  readonly fromStep?: string;
  readonly preset?: string;
  readonly minutes?: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly restartSchedule?: boolean;
  readonly quiet?: boolean;
  /** true if left out. */
  readonly samples?: boolean;
  readonly color?: boolean;
  readonly logEvery?: number;
  readonly debugNan?: boolean;
  readonly distributed?: "mpi" | "none";
  readonly [setting: string]: unknown;
}

export interface Plan {
  readonly flags: TrainFlags;
  readonly threads: number;
  readonly config: RunConfig;
  /** The text to train on, not yet tokenized or from the token cache; null for a model without a text. */
  readonly text: Corpus | TokenizedText | null;
  /** How many tokens the text has; null if they are not counted yet. */
  readonly length: (TextLength & { readonly dropped: number }) | null;
  /** Where the tokens of a large text are cached. */
  readonly cache: CachePlace;
}

/** A plan for the process that writes to the run. */
interface WriterPlan extends Plan {
  /** What is known of processes that may hold the lock of the run. */
  readonly processes: Processes;
}

export interface NewRunPlan extends WriterPlan {
  readonly kind: "new";
  /** The run directory; null for the next free one in checkpoints/. */
  readonly path: string | null;
  /** The name that the next free one starts with. */
  readonly name: string;
  /** The model to fine-tune; null to start from random weights. */
  readonly pretrained: PretrainedModel | null;
}

export interface ResumePlan extends WriterPlan {
  readonly kind: "resume";
  /** The run directory. */
  readonly path: string;
  /** The config as it was saved, as JSON and parsed. */
  readonly savedJSON: unknown;
  readonly saved: RunConfig;
  /** Lines about what changes. */
  readonly remarks: readonly string[];
  /** The latest checkpoint; null if the run stopped before its first. */
  readonly checkpoint: (Checkpoint & { readonly name: string }) | null;
}

export type RunPlan = NewRunPlan | ResumePlan;

/**
 * Plans a new run, or with `--resume` the rest of an old one.
 *
 * @param ranks the number of processes that train together
 * @throws ConfigError, DataError, TokenError or CheckpointError for whatever would fail later
 */
export async function planRun(
  flags: TrainFlags,
  reporter: ProgressReporter = stderrReporter(),
  stdin?: OpenStdin,
  ranks = 1,
): Promise<RunPlan> {
  checkWorkingFolder();
  checkBackend(flags.backend, threadsOf(flags), { fast: flags.fast === true });
  return flags.resume ? planResume(flags, reporter, ranks) : planNewRun(flags, reporter, ranks, stdin);
}

async function planNewRun(
  flags: TrainFlags,
  reporter: ProgressReporter,
  ranks: number,
  stdin?: OpenStdin,
): Promise<NewRunPlan> {
  const given = givenSettings(flags);
  if (flags.config !== undefined && flags.preset !== undefined)
    throw new ConfigError("--config and --preset both set the starting point: got both; choose one");
  const file = flags.config === undefined ? null : readConfigFile(flags.config);
  const from = flags.from ?? file?.from;
  if (flags.fromStep !== undefined && from === undefined)
    throw new ConfigError("--from-step chooses a step of the model in --from: name that model");
  const pretrained = from === undefined ? null : new PretrainedModel(from, flags.fromStep);
  if (flags.from !== undefined && flags.preset !== undefined)
    throw new ConfigError("--from keeps the settings of its model: it takes no --preset");
  // Without a starting point, the settings are fitted to the text once it is known.
  const base = file?.settings ?? pretrained?.startedWith ?? presetFor(flags, given)?.settings;
  // A repeated run follows the schedules of the other one, unless a flag gives another.
  const changes = SCHEDULE_SETTINGS.some((name) => name in given) ? undefined : file?.changes;
  if (flags.restartSchedule)
    throw new ConfigError("--restart-schedule changes a run that is resumed: add --resume");
  checkMinutes(flags, base !== undefined);
  const wanted = base === undefined ? fitBeforeText(given) : parseSettings(base, given);
  checkBelonging(wanted, pretrained === null ? { ...base, ...given } : given);
  pretrained?.check(wanted);
  if (pretrained !== null && file === null && flags.data === undefined && wanted.model !== "seq2seq")
    throw new ConfigError("--from fine-tunes a model on another text: name it with --data");
  const seen = flags.out === undefined ? processes() : await awaitLease(flags.out, reporter);
  if (flags.out !== undefined) checkFree(flags.out, seen);
  const cache = cachePlace(flags, flags.out ?? join(RUNS, "run"), seen);
  const corpus = await readCorpusFor(wanted, flags, file?.corpus ?? null, cache, reporter, stdin);
  return releasingOnError(corpus, async () => {
    const fits = base === undefined && corpus !== null;
    // Before the settings are fitted: the length of the text in tokens depends on it.
    const tokenizer = pretrained?.config.tokenizer ?? (await tokenizerFor(wanted, corpus, reporter));
    const settings = droppingRare(fits ? await fitToText(given, corpus, tokenizer, flags, reporter) : wanted);
    checkEndToken(settings, tokenizer);
    const path = flags.out ?? null;
    const name = nameFor(settings, corpus);
    checkSize({ settings, tokenizer }, ranks);
    const length = await checkTrainable({ settings, tokenizer }, corpus);
    const config = {
      settings,
      tokenizer,
      corpus: corpus === null ? null : recordOf(corpus, tokenizer, length?.boundary ?? null),
      ...(pretrained !== null && { from: pretrained.path }),
      ...(changes !== undefined && { changes }),
    };
    const threads = threadsOf(flags);
    const plan = { flags, threads, path, name, config, text: corpus, length, cache, pretrained };
    return { kind: "new", ...plan, processes: seen };
  });
}

/** A character that is too rare for the vocabulary is unknown. */
function droppingRare(settings: Settings): Settings {
  return settings.minCount > 1 ? { ...settings, unknown: "drop" } : settings;
}

async function planResume(flags: TrainFlags, reporter: ProgressReporter, ranks: number): Promise<ResumePlan> {
  checkMinutes(flags, true);
  const { out } = flags;
  if (out === undefined) {
    const newest = newestRun();
    const example = newest === null ? "" : `; the newest is --out ${shellWord(newest)}`;
    throw new ConfigError(`--resume continues the run in --out: name its directory there${example}`);
  }
  if (!existsSync(out) && runAt(out) === null) throw unknownRun(out);
  const path = runAt(out) ?? out;
  const savedJSON = readRunConfig(path);
  const seen = await awaitLease(path, reporter);
  checkUnlocked(path, seen, nodeFiles);
  const saved = runConfigFromJSON(savedJSON, join(path, "config.json"));
  if (saved.origin !== undefined)
    throw new ConfigError(
      `${path}: was imported, so there is no training to resume; fine-tune it with --from ${shellWord(path)}`,
    );
  const checkpoint = readLatestCheckpoint(path);
  const { config, remarks } = resumedConfig(saved, checkpoint?.step ?? 0, path, flags);
  checkSize(config, ranks);
  if (checkpoint === null && saved.from !== undefined)
    throw new ConfigError(
      `${path}: was stopped before it saved the model that it fine-tunes: start it again, with --from ${saved.from}`,
    );
  const cache = cachePlace(flags, path, seen);
  const text = await textToResume(config, path, flags, cache, reporter);
  const threads = threadsOf(flags);
  const plan = {
    flags,
    threads,
    path,
    config,
    text,
    length: null,
    cache,
    savedJSON,
    saved,
    checkpoint,
    remarks,
    processes: seen,
  };
  return { kind: "resume", ...plan };
}

/**
 * The text of a resumed run. The token cache, whose key is the text's SHA-256, saves reading the text again, unless
 * `--data` names it.
 *
 * @throws ConfigError when it is another text
 */
async function textToResume(
  config: RunConfig,
  run: string,
  { data, validation, include }: DataFlags,
  cache: CachePlace,
  reporter: ProgressReporter,
): Promise<Corpus | TokenizedText | null> {
  const { settings, tokenizer, corpus: saved } = config;
  if (data === undefined && validation === undefined && saved !== null) {
    const { mtimeMs: startedMs } = statSync(join(run, "config.json"));
    const found = findTokenized(saved, startedMs, tokenizer, settings, cache, reporter);
    if (found !== null) return found;
  }
  const texts = { data, validation: validation ?? (data && saved?.validation), include };
  const corpus = await readCorpusFor(settings, texts, saved, cache, reporter);
  return releasingOnError(corpus, async () => {
    if (corpus !== null) checkSameText(corpus, saved);
    await checkTrainable(config, corpus);
    return corpus;
  });
}

async function releasingOnError<T>(corpus: Corpus | null, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    corpus?.release();
    throw error;
  }
}

/** What a model is built from. */
type ModelOf = Pick<RunConfig, "settings" | "tokenizer">;

/** Rejects a model that cannot fit into memory before a long text is tokenized for it. */
function checkSize({ settings, tokenizer }: ModelOf, ranks: number): void {
  const { batchSize, model, averageSteps, gradAccumulation, shardOptimizer } = settings;
  checkMemory(
    gptConfigOf(settings, tokenizer.vocabSize),
    batchSize,
    model,
    averageSteps > 0,
    gradAccumulation,
    shardOptimizer ? ranks : 1,
  );
}

/** Rejects sizes that do not fit together, unknown characters, and a text or a task that is too small. */
async function checkTrainable(of: ModelOf, corpus: Corpus | null): Promise<Plan["length"]> {
  const { settings, tokenizer } = of;
  checkGPTConfig(gptConfigOf(settings, tokenizer.vocabSize));
  const length = corpus === null ? null : await countTokens(corpus, tokenizer, settings.unknown);
  checkKind(of, length);
  return length;
}

/** @throws ConfigError when a text of documents is to be learned by a model without an end token */
function checkEndToken({ documents, model }: Settings, { endOfText }: Tokenizer): void {
  if (documents === "none" || model === "seq2seq" || endOfText !== null) return;
  throw new ConfigError(
    `\`documents\` ${documents}: the model to fine-tune was not trained on documents and has no end token; use \`documents\` none, or train a new model`,
  );
}

/** The named preset or, if no setting is given, the default preset for the kind of model. */
function presetFor(flags: TrainFlags, given: Readonly<Record<string, unknown>>): Preset | null {
  if (flags.preset !== undefined) return presetOf(flags.preset);
  if (given.model === "seq2seq") return presetOf(String(given.task ?? "reverse"));
  if (flags.data !== undefined) return null;
  return presetOf(given.model === "encoder" ? "blanks" : "tales");
}

/** The name of a run: its task, or its first text. */
function nameFor({ task }: Settings, corpus: Corpus | null): string {
  if (corpus === null) return task;
  const [first] = corpus.paths;
  return first === STDIN ? "stdin" : basename(first).replace(/\.[^.]*$/, "");
}
