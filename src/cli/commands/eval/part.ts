/** The text that `nopeek eval` reads, and the part of it to evaluate. */
import { MEASURE_TOKENS } from "../../../config/settings-table.ts";
import type { CacheFlags } from "../../../data/token-cache.ts";
import { cachePlace } from "../../../data/token-cache.ts";
import type { TokenIds } from "../../../data/token-source.ts";
import { tokenize } from "../../../data/tokenized-corpus.ts";
import { ConfigError, DataError, TokenError } from "../../../errors.ts";
import type { Range } from "../../../evaluate/loss.ts";
import type { RunConfig } from "../../../run/config.ts";
import type { UnknownPolicy } from "../../../text/unknown.ts";
import type { ProgressReporter } from "../../../util/progress-reporter.ts";
import { namesOfUnknown, reportDropped, withAdvice } from "../../options/unknown-characters.ts";
import type { ModelFlags } from "../../shared/find-model.ts";
import { processes } from "../../shared/process-lock.ts";
import type { ProcessFlags } from "../../shared/processes/join.ts";
import { readCorpusFor } from "../../shared/read-corpus.ts";

export interface EvalFlags extends ProcessFlags, CacheFlags, ModelFlags {
  readonly split?: Split;
  readonly unknown?: UnknownPolicy;
  readonly measureTokens?: number;
}

export type Split = "train" | "val" | "all";

/** A text and the part of it to evaluate. */
export interface Part {
  readonly ids: TokenIds;
  readonly split: Split;
  readonly range: Range;
  /** In a longer range, only windows with about this many tokens are evaluated. */
  readonly most: number;
  readonly sha256: string;
}

/**
 * The part of the text in --data, else of the text that the run was trained on.
 *
 * @param run its directory; tokens are cached beside it
 */
export async function readPart(
  flags: EvalFlags,
  config: RunConfig,
  run: string,
  progress: ProgressReporter,
): Promise<Part> {
  const { settings, tokenizer, corpus: trainedOn } = config;
  const { data, split = "val", measureTokens: most = MEASURE_TOKENS } = flags;
  if (!(most >= 1)) throw new ConfigError(`--measure-tokens must be at least 1: got ${most}`);
  const place = cachePlace(flags, run, processes());
  const validation = split === "all" ? undefined : trainedOn?.validation;
  const known = data !== undefined || trainedOn !== null;
  const texts = data === undefined ? {} : { data, ...(validation !== undefined && { validation }) };
  const corpus = known ? await readCorpusFor(settings, texts, trainedOn, place, progress) : null;
  if (corpus === null) throw new ConfigError("this model is evaluated on a text: name one with --data");
  const { unknown = data === undefined ? settings.unknown : "reject" } = flags;
  const characters = Array.from(corpus.marked.counts.keys(), (code) => String.fromCodePoint(code)).join("");
  const names = namesOfUnknown(tokenizer, characters);
  const read = await tokenize(corpus, tokenizer, unknown, place, progress).catch((error: unknown) => {
    if (error instanceof TokenError && unknown === "reject") throw withAdvice(error, names);
    throw error;
  });
  const { ids, sha256, path, boundary, dropped } = read;
  if (dropped > 0) reportDropped(progress, dropped, names);
  if (validation !== undefined)
    progress.note(
      `validation  ${validation.join(", ")}, as in training; --split all evaluates --data instead`,
    );
  const range = rangeOf(split, ids, boundary);
  // The first token of a text cannot be predicted.
  if (range.end > Math.max(range.start, 1)) return { ids, split, range, most, sha256 };
  throw new DataError(`${path}: its "${split}" split has no token to predict; use a longer text`);
}

function rangeOf(split: Split, ids: TokenIds, boundary: number): Range {
  return {
    start: split === "val" ? boundary : 0,
    end: split === "train" ? boundary : ids.length,
  };
}
