/**
 * `nopeek ablate`: finds out which settings help. Trains a base and its variations with several seeds each, and
 * compares them on a held-out part of the training split. The validation split is not used: a model selected on it
 * could no longer be evaluated on it.
 */

import { existsSync, realpathSync } from "node:fs";
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import { presetOf } from "../../config/presets.ts";
import { checkBelonging, parseSettings, type Settings } from "../../config/settings.ts";
import {
  type AblationRun,
  BASE,
  compare,
  keyOf,
  parseVariation,
  readRuns,
  type Summary,
  summarize,
  type Variation,
  variationsOf,
  variedSettings,
} from "../../config/variations.ts";
import { TALES_NAME, TALES_PATH } from "../../data/corpus.ts";
import { splitCorpus } from "../../data/split.ts";
import type { CacheFlags } from "../../data/token-cache.ts";
import { cachePlace } from "../../data/token-cache.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { tokenize } from "../../data/tokenized-corpus.ts";
import { ConfigError, DataError, TrainingError } from "../../errors.ts";
import { evaluateSplit } from "../../evaluate/loss.ts";
import { checkGPTConfig } from "../../nn/config.ts";
import { GPT } from "../../nn/gpt.ts";
import { Random } from "../../random.ts";
import { gptConfigOf } from "../../run/config.ts";
import { explainFailures, nodeFiles } from "../../run/files.ts";
import { NextToken } from "../../train/objectives/next-token.ts";
import { Trainer } from "../../train/trainer.ts";
import { largestOf } from "../../util/extremes.ts";
import { formatCount, formatDuration, formatLoss, plural } from "../../util/format.ts";
import { readConfigFile } from "../options/config-file.ts";
import { type CommonFlags, givenSettings, threadsOf } from "../options/settings-flags.ts";
import { explainError, flagFor } from "../shared/explain-error.ts";
import { checkMemory } from "../shared/memory-check.ts";
import { computedBy, openBackend } from "../shared/open-backend.ts";
import { processes } from "../shared/process-lock.ts";
import { readWithProgress, tokenizerFor } from "../shared/read-corpus.ts";
import { nowMs } from "../terminal/clock.ts";
import { Terminal } from "../terminal/output.ts";

const files = explainFailures(nodeFiles);
/** A million runs take about as much. */
const RESULTS_LIMIT = 500e6;

interface AblateFlags extends CommonFlags, CacheFlags {
  readonly data?: readonly string[];
  readonly config?: string;
  readonly preset?: string;
  readonly vary?: readonly string[];
  readonly seeds: number;
  readonly holdout: number;
  readonly results: string;
  readonly [setting: string]: unknown;
}

/** The training split of a text, and where the part held out for evaluation begins. */
interface Text {
  readonly ids: TokenIds;
  readonly boundary: number;
  readonly vocabSize: number;
  readonly sha256: string;
}

/** One run of the plan, finished or not. */
interface Planned {
  readonly variation: Variation;
  readonly settings: Settings;
  readonly key: string;
}

export async function ablate(flags: AblateFlags): Promise<void> {
  const terminal = new Terminal();
  checkFlags(flags);
  const base = baseOf(flags);
  const text = await readText(base, flags, terminal);
  const backend = await openBackend(flags, threadsOf(flags));
  const keep = { corpus: text.sha256, holdout: flags.holdout, backend: computedBy(backend) };
  const { variations, left } = whatFits(base, text, flags.vary);
  const seeds = Array.from({ length: flags.seeds }, (_, i) => base.seed + i);
  // Seed by seed, so that an interrupted ablation has nearly equal numbers of runs per variation.
  const plan: Planned[] = seeds.flatMap((seed) =>
    variations.map((variation) => {
      const settings = variedSettings(base, variation, seed);
      return { variation, settings, key: keyOf({ settings, ...keep }) };
    }),
  );
  // Files of a run must not be links, but the user's own results file may be one.
  const results = existsSync(flags.results) ? realpathSync(flags.results) : flags.results;
  const runs = readRuns(readResults(results));
  const missing = plan.filter(({ key }) => !runs.has(key));

  const note = (line = "") => terminal.note(line);
  const heldOut = text.ids.length - text.boundary;
  const part =
    heldOut > base.measureTokens
      ? `; each evaluation uses ${formatCount(base.measureTokens)} of them, from a fixed set of windows`
      : "";
  note(
    `held out    the last ${formatCount(heldOut)} tokens of the training split (${(100 * flags.holdout).toFixed(0)}%), used only for evaluation${part}; the validation split is not used`,
  );
  note(
    `runs        ${plural(variations.length, "setting")} with ${plural(seeds.length, "seed")} each: ${seeds.join(", ")}`,
  );
  for (const line of left) note(`left out    ${line}`);
  note(
    `results     ${flags.results}: ${formatCount(plan.length - missing.length)} of ${plural(plan.length, "run")} already done`,
  );
  note();
  let spentMs = 0;
  for (const [i, { variation, settings, key }] of missing.entries()) {
    terminal.status(`run ${i + 1}/${missing.length}  seed ${settings.seed}  ${labelOf(variation)} …`);
    const startMs = nowMs();
    const run = { settings, ...keep, ...(await runOnce(settings, text, backend)) };
    spentMs += nowMs() - startMs;
    runs.set(key, run);
    files.append(results, `${JSON.stringify(run)}\n`);
    const loss = run.lossNats === null ? "diverged" : formatLoss(run.lossNats);
    const leftMs = (spentMs / (i + 1)) * (missing.length - i - 1);
    note(
      `run ${i + 1}/${missing.length}  seed ${settings.seed}  ${labelOf(variation)}: ${loss} in ${formatDuration(run.elapsedMs)}; about ${formatDuration(leftMs)} left`,
    );
  }
  await backend.close();

  const summaries = variations.map((variation) => ({
    name: labelOf(variation),
    ...summarize(
      plan.flatMap((planned) => {
        const run = runs.get(planned.key);
        return planned.variation === variation && run !== undefined ? [run] : [];
      }),
    ),
  }));
  show(terminal, summaries, flags.json === true);
}

/** @throws ConfigError if a flag is out of range */
function checkFlags({ seeds, holdout }: AblateFlags): void {
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new ConfigError(`--seeds must be a whole number of at least 1: got ${seeds}`);
  if (!(holdout > 0 && holdout < 1))
    throw new ConfigError(`--holdout must be a share between 0 and 1, such as 0.1: got ${holdout}`);
}

function baseOf(flags: AblateFlags): Settings {
  if (flags.config !== undefined && flags.preset !== undefined)
    throw new ConfigError("--config and --preset both set the base: got both; choose one");
  const preset = flags.preset ?? (flags.data === undefined ? "tales" : undefined);
  const start =
    flags.config !== undefined
      ? readConfigFile(flags.config).settings
      : preset === undefined
        ? {}
        : presetOf(preset).settings;
  const layers = [start, givenSettings(flags)] as const;
  const base = parseSettings(...layers);
  if (base.model !== "gpt")
    throw new ConfigError(`ablate only compares gpt models: got --model ${base.model}`);
  checkBelonging(base.model, Object.assign({}, ...layers));
  return base;
}

/** The training texts named in a config file, or the tales if it names none. */
function textsOf(config: string | undefined): readonly string[] {
  const corpus = config === undefined ? null : readConfigFile(config).corpus;
  if (corpus === null || corpus.path === TALES_NAME) return [TALES_PATH];
  return corpus.paths ?? [corpus.path];
}

/** @throws DataError if either part is too short for one window */
async function readText(base: Settings, flags: AblateFlags, terminal: Terminal): Promise<Text> {
  const progress = {
    note: (line: string) => terminal.note(line),
    status: (line: string) => terminal.status(line),
  };
  const place = cachePlace(flags, flags.results, processes());
  const corpus = await readWithProgress(flags.data ?? textsOf(flags.config), place, progress);
  const tokenizer = tokenizerFor(base, corpus);
  const tokenized = await tokenize(corpus, tokenizer, "reject", place, progress);
  const ids = splitCorpus<TokenIds>(tokenized.ids).train;
  const boundary = Math.floor(ids.length * (1 - flags.holdout));
  const shorter = Math.min(boundary, ids.length - boundary);
  if (shorter < base.contextLength + 1) {
    throw new DataError(
      `${corpus.path}: the training split of ${ids.length} tokens is too short for --holdout ${flags.holdout}: the shorter part would have ${shorter} tokens, but each part needs at least ${base.contextLength + 1}; use a longer text or a lower --context-length`,
    );
  }
  return { ids, boundary, vocabSize: tokenizer.vocabSize, sha256: corpus.sha256 };
}

/**
 * Returns the base and its variations: the requested ones, or each option switched in turn. A switched option that does
 * not fit the base is left out; a requested variation that does not fit is an error.
 *
 * @throws ConfigError if the base or a requested variation is not a valid configuration
 */
function whatFits(base: Settings, { vocabSize }: Text, asked: readonly string[] | undefined) {
  const check = (variation: Variation) => {
    const settings = variedSettings(base, variation, base.seed);
    const config = gptConfigOf(settings, vocabSize);
    checkGPTConfig(config);
    checkMemory(config, settings.batchSize, "gpt", settings.averageSteps > 0);
  };
  check(BASE);
  if (asked !== undefined) {
    const variations = asked.map(parseVariation);
    for (const variation of variations) check(variation);
    return { variations: [BASE, ...variations], left: [] };
  }
  const fitting = variationsOf(base).map((variation) => ({ variation, reason: whyNot(check, variation) }));
  return {
    variations: [BASE, ...fitting.flatMap(({ variation, reason }) => (reason === null ? [variation] : []))],
    left: fitting.flatMap(({ variation, reason }) =>
      reason === null ? [] : [`${labelOf(variation)}: ${reason}`],
    ),
  };
}

/** Formats a variation as flags, such as "--positions rotary", or as "base". */
function labelOf({ name, changes }: Variation): string {
  const flags = Object.entries(changes).map(([setting, value]) => flagFor(setting, value));
  return flags.length === 0 ? name : flags.join(" ");
}

/** Returns why a variation does not fit, or null if it does. */
function whyNot(check: (variation: Variation) => void, variation: Variation): string | null {
  try {
    check(variation);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return explainError(error);
    throw error;
  }
}

/** Trains a model from scratch and evaluates it once at the end. */
async function runOnce(
  settings: Settings,
  { ids, boundary, vocabSize }: Text,
  backend: Backend,
): Promise<Pick<AblationRun, "lossNats" | "tokens" | "elapsedMs">> {
  const context = new Context(backend);
  const model = new GPT(context, gptConfigOf(settings, vocabSize), Random.of(settings.seed, "weights"));
  const objective = new NextToken(model, ids.subarray(0, boundary), settings);
  const trainer = new Trainer(model, objective, settings);
  const startMs = nowMs();
  try {
    while (trainer.stepsDone < settings.steps) await trainer.step();
    const elapsedMs = nowMs() - startMs;
    const range = { start: boundary, end: ids.length };
    const { lossNats, tokens } = await trainer.evaluating(() =>
      evaluateSplit(model, ids, range, settings.measureTokens),
    );
    return { lossNats, tokens, elapsedMs };
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    return { lossNats: null, tokens: 0, elapsedMs: nowMs() - startMs };
  } finally {
    context.close();
  }
}

/** Reads finished runs. Opens the file for writing, so that a file that cannot be written fails before training. */
function readResults(file: string): string {
  files.append(file, "");
  const text = new TextDecoder().decode(files.read(file, RESULTS_LIMIT));
  // Terminate a line that was cut off when the program was killed.
  if (text !== "" && !text.endsWith("\n")) files.append(file, "\n");
  return text;
}

function show(
  terminal: Terminal,
  rows: readonly (Summary & { readonly name: string })[],
  json: boolean,
): void {
  const [base] = rows;
  const width = largestOf(rows.map(({ name }) => name.length));
  terminal.note();
  if (!json) terminal.write(`${"setting".padEnd(width)}  loss     spread   difference          time\n`);
  for (const row of rows) {
    const compared = row === base ? null : compare(base, row);
    if (json) {
      terminal.json({ ...row, ...compared });
      continue;
    }
    const nats = (value: number | null) => (value === null ? "–" : value.toFixed(4)).padEnd(7);
    const difference = compared?.differenceNats ?? null;
    const sign = difference !== null && difference >= 0 ? "+" : "";
    const words = [
      row.name.padEnd(width),
      nats(row.meanNats),
      nats(row.spreadNats),
      `${difference === null ? "" : sign + difference.toFixed(4)}`.padStart(7),
      formatDuration(row.meanMs).padStart(11),
      compared?.verdict ?? "",
    ];
    terminal.write(`${words.join("  ").trimEnd()}\n`);
  }
  terminal.note();
  terminal.note("loss, spread: mean and standard deviation over the seeds, in nats per token");
  terminal.note("a difference no larger than the larger of the two spreads counts as none");
}
