/** Reads training texts: new ones, or the text that a run was started on. */
import type { Settings } from "../../config/settings.ts";
import { type Corpus, readTexts, TALES_PATH } from "../../data/corpus.ts";
import { learnBpe } from "../../data/learn-bpe.ts";
import { TALES_NAME } from "../../data/tales.ts";
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

export interface DataFlags {
  readonly data?: readonly string[] | undefined;
  readonly validation?: readonly string[] | undefined;
  readonly include?: readonly string[] | undefined;
}

/**
 * Reads the texts in `data`, else the text of an earlier run, else the tales.
 *
 * @param validation paths of a separate text to validate with; left out: that of the earlier run, if any
 * @param saved the text of the earlier run; null if there is none
 * @returns null for a seq2seq model, which draws its own strings
 */
export async function readCorpusFor(
  settings: Settings,
  { data, validation, include }: DataFlags,
  saved: CorpusRecord | null,
  place: CachePlace,
  reporter: ProgressReporter,
  stdin?: OpenStdin,
): Promise<Corpus | null> {
  if (settings.model !== "seq2seq") {
    if (data === undefined && validation === undefined && saved !== null)
      return readAgain(saved, settings, place, reporter);
    const texts = data ?? (saved === null ? [TALES_PATH] : pathsOf(saved));
    const options = { ...settings, validation, include: include ?? saved?.include };
    return readWithProgress(texts, options, place, reporter, stdin);
  }
  if (data === undefined && validation === undefined) return null;
  const given = data === undefined ? `--validation ${validation?.join(" ")}` : `--data ${data.join(" ")}`;
  throw new ConfigError(`--model seq2seq trains on strings that it draws, not on a text: got ${given}`);
}

/** How a text is divided: by settings, and by the paths of a separate text to validate with. */
interface SplitOptions extends Pick<Settings, "documents" | "split"> {
  readonly validation?: readonly string[] | undefined;
  readonly include?: readonly string[] | undefined;
}

/** Reads texts, and shows the progress of large ones. Throws as `readTexts` does. */
export async function readWithProgress(
  paths: readonly string[],
  { documents, split, validation, include }: SplitOptions,
  place: CachePlace,
  reporter: ProgressReporter,
  stdin?: OpenStdin,
): Promise<Corpus> {
  if (validation !== undefined && split === "shuffle")
    throw new ConfigError("--validation and --split shuffle both choose what to validate with: got both");
  let shown = false;
  try {
    const onProgress = (bytes: number) => {
      if (bytes <= place.inMemoryBytes) return;
      reporter.status(`reading: ${formatBytes(bytes)}`);
      shown = true;
    };
    return await readTexts(paths, place, { onProgress, documents, split, validation, include, stdin });
  } finally {
    if (shown) reporter.status("");
  }
}

/** The text that another run was started on. */
export async function readAgain(
  saved: CorpusRecord,
  settings: Pick<Settings, "documents" | "split">,
  place: CachePlace,
  reporter: ProgressReporter,
): Promise<Corpus> {
  const paths = pathsOf(saved);
  if (paths.includes(STDIN))
    throw new ConfigError(
      "this run was started on text from standard input, which is gone: pass the same text with --data",
    );
  const corpus = await readWithProgress(
    paths,
    { ...settings, validation: saved.validation, include: saved.include },
    place,
    reporter,
  );
  checkSameText(corpus, saved);
  return corpus;
}

function pathsOf({ path, paths = [path] }: CorpusRecord): readonly string[] {
  return path === TALES_NAME ? [TALES_PATH] : paths;
}

/** @throws ConfigError when a text is not the one that a run was started on */
export function checkSameText(corpus: Corpus, saved: CorpusRecord | null): void {
  if (corpus.sha256 === saved?.sha256) return;
  throw new ConfigError(
    `${corpus.path}: is not the text that this run was started on (${saved?.path}, ${saved?.characters} characters): its SHA-256 differs; pass the same text with --data`,
  );
}

/** The tokenizer for a text; for seq2seq, which has no text, one for the letters of its strings. */
export async function tokenizerFor(
  settings: Settings,
  corpus: Corpus | null,
  { note, status }: ProgressReporter,
): Promise<Tokenizer> {
  if (corpus === null) return new CharTokenizer("abcdefghijklmnopqrstuvwxyz".slice(0, settings.alphabetSize));
  const special = settings.documents === "none" ? {} : ({ endOfText: true } as const);
  if (settings.tokenizer === "huggingface")
    throw new ConfigError(
      "`tokenizer` huggingface comes with a model: fine-tune one with `from`, or use char, byte or bpe",
    );
  if (settings.tokenizer === "byte") return new ByteTokenizer(special);
  if (settings.tokenizer === "char")
    return new CharTokenizer(vocabularyOf(corpus.marked, settings.minCount), special);
  const { vocabSize } = settings;
  status("learning byte pairs …");
  const learned = await learnBpe(corpus, { vocabSize, ...special });
  status("");
  if (learned.vocabSize < vocabSize)
    note(
      `warning     the text has enough for ${learned.vocabSize} tokens, not for --vocab-size ${vocabSize}: no pair of tokens occurs twice any more`,
    );
  return learned;
}

/** The record of a text that config.json keeps. */
export function recordOf(
  { path, paths, validation, include, sha256, facts }: Corpus,
  tokenizer: Tokenizer,
  boundary: number | null,
): CorpusRecord {
  return {
    path: path === TALES_PATH ? TALES_NAME : path,
    ...(paths.length > 1 && { paths }),
    ...(validation.length > 0 && { validation }),
    ...(include.length > 0 && { include }),
    ...(boundary !== null && { boundary }),
    sha256,
    characters: facts.characters,
    start: startOfText(facts, tokenizer),
  };
}
