/** What `nopeek ablate` is to do: a base and its variations, with several seeds each, on one text. */

import type { Backend } from "../../../backend/backend.ts";
import { computedBy } from "../../../backend/names.ts";
import { presetOf } from "../../../config/presets.ts";
import { checkBelonging, parseSettings, type Settings } from "../../../config/settings.ts";
import { keyOf, type Variation, variedSettings } from "../../../config/variations.ts";
import { TALES_PATH } from "../../../data/corpus.ts";
import { splitCorpus } from "../../../data/split.ts";
import { TALES_NAME } from "../../../data/tales.ts";
import { type CacheFlags, cachePlace } from "../../../data/token-cache.ts";
import type { TokenIds } from "../../../data/token-source.ts";
import { tokenize } from "../../../data/tokenized-corpus.ts";
import { ConfigError, DataError } from "../../../errors.ts";
import type { ProgressReporter } from "../../../util/progress-reporter.ts";
import { readConfigFile } from "../../options/config-file.ts";
import { givenSettings, threadsOf } from "../../options/settings-flags.ts";
import { openBackend } from "../../shared/open-backend.ts";
import { processes } from "../../shared/process-lock.ts";
import type { ProcessFlags } from "../../shared/processes/join.ts";
import { readWithProgress, tokenizerFor } from "../../shared/read-corpus.ts";
import { fittingVariations } from "./fitting-variations.ts";
import type { Text } from "./run-once.ts";

export interface AblateFlags extends ProcessFlags, CacheFlags {
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
export interface Planned {
  readonly variation: Variation;
  readonly settings: Settings;
  /** Identifies all that its result depends on. */
  readonly key: string;
}

export interface AblationPlan {
  readonly base: Settings;
  readonly text: Text;
  readonly backend: Backend;
  /** What the result of a run depends on besides its settings. */
  readonly keep: { readonly corpus: string; readonly holdout: number; readonly backend: string };
  readonly variations: readonly Variation[];
  /** Lines about the variations that were left out. */
  readonly left: readonly string[];
  readonly seeds: readonly number[];
  readonly runs: readonly Planned[];
}

/** @throws ConfigError if flags do not fit, DataError if the text is too short */
export async function planAblation(flags: AblateFlags, progress: ProgressReporter): Promise<AblationPlan> {
  checkFlags(flags);
  const base = baseOf(flags);
  const text = await readText(base, flags, progress);
  const backend = await openBackend(flags, threadsOf(flags));
  const keep = { corpus: text.sha256, holdout: flags.holdout, backend: computedBy(backend) };
  const { variations, left } = fittingVariations(base, text.tokenizer.vocabSize, flags.vary);
  const seeds = Array.from({ length: flags.seeds }, (_, i) => base.seed + i);
  // Seed by seed, so that an interrupted ablation has nearly equal numbers of runs per variation.
  const runs = seeds.flatMap((seed) =>
    variations.map((variation) => {
      const settings = variedSettings(base, variation, seed);
      return { variation, settings, key: keyOf({ settings, ...keep }) };
    }),
  );
  return { base, text, backend, keep, variations, left, seeds, runs };
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
async function readText(base: Settings, flags: AblateFlags, progress: ProgressReporter): Promise<Text> {
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
