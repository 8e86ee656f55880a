/** Reads training texts: new ones, or the text that a run was started on. */
import type { Settings } from "../../config/settings.ts";
import { type Corpus, readTexts, TALES_NAME, TALES_PATH } from "../../data/corpus.ts";
import { type OpenStdin, STDIN } from "../../data/text-files.ts";
import { startOfText } from "../../data/text-start.ts";
import { vocabularyOf } from "../../data/text-stats.ts";
import type { CachePlace } from "../../data/token-cache.ts";
import { ConfigError } from "../../errors.ts";
import type { CorpusRecord } from "../../run/config.ts";
import { ByteTokenizer } from "../../text/byte-tokenizer.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { formatBytes } from "../../util/format.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";

/**
 * Reads the texts in `data`, else the text of an earlier run, else the tales.
 *
 * @param saved the text of the earlier run; null if there is none
 * @returns null for a seq2seq model, which draws its own strings
 */
export async function readCorpusFor(
  settings: Settings,
  data: readonly string[] | undefined,
  saved: CorpusRecord | null,
  place: CachePlace,
  reporter: ProgressReporter,
  stdin?: OpenStdin,
): Promise<Corpus | null> {
  if (settings.model !== "seq2seq") {
    if (data !== undefined || saved === null)
      return readWithProgress(data ?? [TALES_PATH], place, reporter, stdin);
    return readAgain(saved, place, reporter);
  }
  if (data === undefined) return null;
  throw new ConfigError(
    `--model seq2seq trains on strings that it draws, not on a text: got --data ${data.join(" ")}`,
  );
}

/** Reads texts, and shows the progress of large ones. Throws as `readTexts` does. */
export async function readWithProgress(
  paths: readonly string[],
  place: CachePlace,
  reporter: ProgressReporter,
  stdin?: OpenStdin,
): Promise<Corpus> {
  let shown = false;
  try {
    const onProgress = (bytes: number) => {
      if (bytes <= place.inMemoryBytes) return;
      reporter.status(`reading: ${formatBytes(bytes)}`);
      shown = true;
    };
    return await readTexts(paths, place, onProgress, undefined, stdin);
  } finally {
    if (shown) reporter.status("");
  }
}

/** The text that another run was started on. */
async function readAgain(
  saved: CorpusRecord,
  place: CachePlace,
  reporter: ProgressReporter,
): Promise<Corpus> {
  const paths = saved.path === TALES_NAME ? [TALES_PATH] : (saved.paths ?? [saved.path]);
  if (paths.includes(STDIN))
    throw new ConfigError(
      "this run was started on text from standard input, which is gone: pass the same text with --data",
    );
  const corpus = await readWithProgress(paths, place, reporter);
  checkSameText(corpus, saved);
  return corpus;
}

/** @throws ConfigError when a text is not the one that a run was started on */
export function checkSameText(corpus: Corpus, saved: CorpusRecord | null): void {
  if (corpus.sha256 === saved?.sha256) return;
  throw new ConfigError(
    `${corpus.path}: is not the text that this run was started on (${saved?.path}, ${saved?.characters} characters): its SHA-256 differs; pass the same text with --data`,
  );
}

/** The tokenizer for a text; for seq2seq, which has no text, one for the letters of its strings. */
export function tokenizerFor(settings: Settings, corpus: Corpus | null): Tokenizer {
  if (corpus === null) return new CharTokenizer("abcdefghijklmnopqrstuvwxyz".slice(0, settings.alphabetSize));
  return settings.tokenizer === "char" ? new CharTokenizer(vocabularyOf(corpus.facts)) : new ByteTokenizer();
}

/** The record of a text that config.json keeps. */
export function recordOf({ path, paths, sha256, facts }: Corpus, tokenizer: Tokenizer): CorpusRecord {
  const { characters } = facts;
  const start = startOfText(facts, tokenizer);
  const record = { path: path === TALES_PATH ? TALES_NAME : path, sha256, characters, start };
  return paths.length === 1 ? record : { ...record, paths };
}
