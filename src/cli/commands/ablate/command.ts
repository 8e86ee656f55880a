/**
 * `nopeek ablate`: finds out which settings help. Trains a base and its variations with several seeds each, and
 * compares them on a held-out part of the training split. The validation split is not used: a model selected on it
 * could no longer be evaluated on it.
 */
import { existsSync, realpathSync } from "node:fs";
import { computedBy } from "../../../backend/names.ts";
import { presetOf } from "../../../config/presets.ts";
import { checkBelonging, parseSettings, type Settings } from "../../../config/settings.ts";
import { keyOf, readRuns, type Variation, variedSettings } from "../../../config/variations.ts";
import { TALES_PATH } from "../../../data/corpus.ts";
import { splitCorpus } from "../../../data/split.ts";
import { TALES_NAME } from "../../../data/tales.ts";
import { type CacheFlags, cachePlace } from "../../../data/token-cache.ts";
import type { TokenIds } from "../../../data/token-source.ts";
import { tokenize } from "../../../data/tokenized-corpus.ts";
import { ConfigError, DataError } from "../../../errors.ts";
import { explainFailures } from "../../../run/files.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { formatBitsPerByte, formatCount, formatDuration, formatLoss, plural } from "../../../util/format.ts";
import { readConfigFile } from "../../options/config-file.ts";
import { type CommonFlags, givenSettings, threadsOf } from "../../options/settings-flags.ts";
import { openBackend } from "../../shared/open-backend.ts";
import { processes } from "../../shared/process-lock.ts";
import { readWithProgress, tokenizerFor } from "../../shared/read-corpus.ts";
import { nowMs } from "../../terminal/clock.ts";
import { Terminal } from "../../terminal/output.ts";
import { fittingVariations, labelOf } from "./fitting-variations.ts";
import { runOnce, type Text } from "./run-once.ts";
import { showTable } from "./table.ts";

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
  readonly difference: number;
  readonly results: string;
  readonly [setting: string]: unknown;
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
  const { variations, left } = fittingVariations(base, text.tokenizer.vocabSize, flags.vary);
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
    const loss =
      run.lossNats === null
        ? "diverged"
        : `${formatLoss(run.lossNats)}, ${formatBitsPerByte(run.bitsPerByte)} bits per byte`;
    const leftMs = (spentMs / (i + 1)) * (missing.length - i - 1);
    note(
      `run ${i + 1}/${missing.length}  seed ${settings.seed}  ${labelOf(variation)}: ${loss} in ${formatDuration(run.elapsedMs)}; about ${formatDuration(leftMs)} left`,
    );
  }
  await backend.close();

  const settings = variations.map((variation) => {
    const done = plan.flatMap((planned) => {
      const run = runs.get(planned.key);
      return planned.variation === variation && run !== undefined ? [run] : [];
    });
    return {
      name: labelOf(variation),
      losses: done.map(({ lossNats }) => lossNats),
      bitsPerByte: done.map((run) => run.bitsPerByte),
      elapsedMs: done.map(({ elapsedMs }) => elapsedMs),
    };
  });
  showTable(terminal, settings, { wantedNats: flags.difference, json: flags.json === true });
}

/** @throws ConfigError if a flag is out of range */
function checkFlags({ seeds, holdout, difference }: AblateFlags): void {
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new ConfigError(`--seeds must be a whole number of at least 1: got ${seeds}`);
  if (!(holdout > 0 && holdout < 1))
    throw new ConfigError(`--holdout must be a share between 0 and 1, such as 0.1: got ${holdout}`);
  if (!(difference > 0 && Number.isFinite(difference)))
    throw new ConfigError(`--difference must be a number of nats above 0, such as 0.01: got ${difference}`);
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
  checkBelonging(base, Object.assign({}, ...layers));
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
  const corpus = await readWithProgress(flags.data ?? textsOf(flags.config), base, place, progress);
  const tokenizer = await tokenizerFor(base, corpus, progress);
  const tokenized = await tokenize(corpus, tokenizer, "reject", place, progress);
  const ids = splitCorpus<TokenIds>(tokenized.ids, tokenized.boundary).train;
  const boundary = Math.floor(ids.length * (1 - flags.holdout));
  const shorter = Math.min(boundary, ids.length - boundary);
  if (shorter < base.contextLength + 1) {
    throw new DataError(
      `${corpus.path}: the training split of ${ids.length} tokens is too short for --holdout ${flags.holdout}: the shorter part would have ${shorter} tokens, but each part needs at least ${base.contextLength + 1}; use a longer text or a lower --context-length`,
    );
  }
  return { ids, boundary, tokenizer, sha256: corpus.sha256 };
}

/** Reads finished runs. Opens the file for writing, so that a file that cannot be written fails before training. */
function readResults(file: string): string {
  files.append(file, "");
  const text = new TextDecoder().decode(files.read(file, RESULTS_LIMIT));
  // Terminate a line that was cut off when the program was killed.
  if (text !== "" && !text.endsWith("\n")) files.append(file, "\n");
  return text;
}
