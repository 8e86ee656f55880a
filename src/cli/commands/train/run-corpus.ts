/** The text that a run learns from: a new one, the one of another run, or the one that a run was started on. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../../config/settings.ts";
import { type Corpus, readTexts, TALES_NAME, TALES_PATH } from "../../../data/corpus.ts";
import { STDIN } from "../../../data/text-files.ts";
import { vocabularyOf } from "../../../data/text-stats.ts";
import type { CachePlace } from "../../../data/token-cache.ts";
import {
  findTokenized,
  type ProgressReporter,
  type TokenizedText,
  tokenize,
} from "../../../data/tokenized-corpus.ts";
import { ConfigError } from "../../../errors.ts";
import type { CorpusRecord, RunConfig } from "../../../run/config.ts";
import { ByteTokenizer } from "../../../text/byte-tokenizer.ts";
import { CharTokenizer } from "../../../text/char-tokenizer.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { formatBytes } from "../../../util/format.ts";

/** null for a model that makes up what it learns from. */
export async function corpusFor(
  settings: Settings,
  data: readonly string[] | undefined,
  saved: CorpusRecord | null,
  place: CachePlace,
  tell: ProgressReporter,
): Promise<Corpus | null> {
  if (settings.model !== "seq2seq") {
    if (data !== undefined || saved === null) return readShowing(data ?? [TALES_PATH], place, tell);
    return readAgain(saved, place, tell);
  }
  if (data === undefined) return null;
  throw new ConfigError(
    `--model seq2seq learns from strings that it draws, not from a text: got --data ${data.join(" ")}`,
  );
}

/** Reads texts; of what takes long, shows how far it is. Throws as `readTexts` does. */
export async function readShowing(
  paths: readonly string[],
  place: CachePlace,
  tell: ProgressReporter,
): Promise<Corpus> {
  let shown = false;
  try {
    return await readTexts(paths, place, (bytes) => {
      if (bytes <= place.inMemoryBytes) return;
      tell.status(`reading: ${formatBytes(bytes)}`);
      shown = true;
    });
  } finally {
    if (shown) tell.status("");
  }
}

/** The text that another run was started on. */
async function readAgain(saved: CorpusRecord, place: CachePlace, tell: ProgressReporter): Promise<Corpus> {
  const paths = saved.path === TALES_NAME ? [TALES_PATH] : (saved.paths ?? [saved.path]);
  if (paths.includes(STDIN))
    throw new ConfigError(
      "this run was started on text from standard input, which is gone: pass the same text with --data",
    );
  const corpus = await readShowing(paths, place, tell);
  checkSame(corpus, saved);
  return corpus;
}

function checkSame(corpus: Corpus, saved: CorpusRecord | null): void {
  if (corpus.sha256 === saved?.sha256) return;
  throw new ConfigError(
    `${corpus.path}: is not the text that this run was started on (${saved?.path}, ${saved?.characters} characters): its SHA-256 differs; pass the same text with --data`,
  );
}

/**
 * The text of a run that goes on. Where its tokens are in the cache, which is keyed by the text's SHA-256, the text is not
 * read, unless it is named again; else it is read, and must be the same.
 *
 * @throws ConfigError when it is another text
 */
export async function textToResume(
  { settings, tokenizer, corpus: saved }: RunConfig,
  run: string,
  data: readonly string[] | undefined,
  place: CachePlace,
  tell: ProgressReporter,
): Promise<TokenizedText | null> {
  if (data === undefined && saved !== null) {
    const { mtimeMs: startedMs } = statSync(join(run, "config.json"));
    const found = findTokenized(saved, startedMs, tokenizer, settings.unknown, place, tell);
    if (found !== null) return found;
  }
  const corpus = await corpusFor(settings, data, saved, place, tell);
  if (corpus === null) return null;
  checkSame(corpus, saved);
  return tokenize(corpus, tokenizer, settings.unknown, place, tell);
}

/** The tokenizer that a text asks for; of strings, one for their letters. */
export function tokenizerFor(settings: Settings, corpus: Corpus | null): Tokenizer {
  if (corpus === null) return new CharTokenizer("abcdefghijklmnopqrstuvwxyz".slice(0, settings.alphabetSize));
  return settings.tokenizer === "char" ? new CharTokenizer(vocabularyOf(corpus.facts)) : new ByteTokenizer();
}

export function recordOf({ path, paths, sha256, facts }: Corpus): CorpusRecord {
  const { characters } = facts;
  const record = { path: path === TALES_PATH ? TALES_NAME : path, sha256, characters };
  return paths.length === 1 ? record : { ...record, paths };
}
