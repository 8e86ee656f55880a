/** A text as token ids: in memory, or in a file beside the run where it is large. Both are the same to train on. */
import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { DataError } from "../errors.ts";
import type { CorpusRecord } from "../run/config.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { dropsUnknown, type UnknownPolicy } from "../text/unknown.ts";
import { failureReason } from "../util/failure-reason.ts";
import { formatBytes } from "../util/format.ts";
import type { ProgressReporter } from "../util/progress-reporter.ts";
import { type Corpus, TALES_NAME } from "./corpus.ts";
import { type CorpusReport, reportCorpus } from "./corpus-report.ts";
import { TextToIds } from "./streaming-encoder.ts";
import { STDIN } from "./text-files.ts";
import { type CachePlace, cacheFile, hiddenName, type TokensOf } from "./token-cache.ts";
import { TokenFile, writeTokens } from "./token-file.ts";
import { makeTokenArray, type TokenIds } from "./token-source.ts";

export interface TokenizedText {
  /** What it is called, and what was named to read it. */
  readonly path: string;
  readonly paths: readonly string[];
  readonly sha256: string;
  /** How many files it is made of. */
  readonly files: number;
  readonly report: CorpusReport;
  /** A character to start from: a line break where the text has one. */
  readonly start: string;
  readonly ids: TokenIds;
  /** Characters that the tokenizer does not know and that were left out. */
  readonly dropped: number;
  /** Lines for people about where the ids are. */
  readonly remarks: readonly string[];
}

/** What is kept beside the ids. */
const about = z.object({
  sha256: z.string(),
  tokenizer: z.unknown(),
  drops: z.boolean(),
  dropped: z.int().min(0),
  files: z.int().min(1),
  report: z.object({
    characters: z.int().min(0),
    distinct: z.int().min(0),
    rarest: z.array(z.object({ character: z.string(), count: z.int() })).readonly(),
    warnings: z.array(z.string()).readonly(),
  }),
  start: z.string(),
});
type About = z.infer<typeof about>;

/**
 * How many tokens a text has, and how many of its characters are dropped as unknown.
 *
 * @throws TokenError for a character that the tokenizer does not know, unless it is to be dropped
 */
export async function countTokens(
  corpus: Corpus,
  tokenizer: Tokenizer,
  policy: UnknownPolicy,
): Promise<{ readonly tokens: number; readonly dropped: number }> {
  const drops = dropsUnknown(tokenizer, policy);
  const converter = new TextToIds(tokenizer);
  const { tokens, unknown: dropped } = converter.count(corpus.facts);
  if (dropped > 0 && !drops) throw (await converter.complainAbout(corpus.bytes())) ?? changed(corpus.path);
  return { tokens, dropped };
}

/**
 * @throws TokenError for a character that the tokenizer does not know, unless it is to be dropped; DataError when the
 *   cache cannot be written, or the text is another than it was
 */
export async function tokenize(
  corpus: Corpus,
  tokenizer: Tokenizer,
  unknown: UnknownPolicy,
  place: CachePlace,
  tell: ProgressReporter,
): Promise<TokenizedText> {
  const drops = dropsUnknown(tokenizer, unknown);
  const { path, paths, sha256, facts } = corpus;
  const { tokens, dropped } = await countTokens(corpus, tokenizer, unknown);
  const converter = new TextToIds(tokenizer);
  const start = facts.counts.has(10) ? "\n" : String.fromCodePoint(facts.first);
  const files = corpus.files.length;
  const known = { path, paths, sha256, files, report: reportCorpus(facts), start, dropped };
  try {
    if (facts.bytes <= place.inMemoryBytes) {
      const ids = makeTokenArray(tokenizer.vocabSize, tokens);
      let at = 0;
      for await (const chunk of corpus.bytes()) at += converter.encode(chunk, ids, at);
      return { ...known, ids, remarks: [] };
    }
    const of = { sha256, tokenizer, drops };
    const { file, remark } =
      openCached(of, place, tell) ?? (await writeCache(corpus, of, { ...known, drops }, place, tell));
    return { ...known, ids: file, remarks: [remark] };
  } finally {
    corpus.release();
  }
}

/**
 * The text that a run was started on, from the cache, without a look at the text; null where it is not there.
 *
 * @param startedMs when the run was started
 */
export function findTokenized(
  record: CorpusRecord,
  startedMs: number,
  tokenizer: Tokenizer,
  unknown: UnknownPolicy,
  place: CachePlace,
  tell: ProgressReporter,
): TokenizedText | null {
  const { path, paths = [path], sha256 } = record;
  const cached = openCached({ sha256, tokenizer, drops: dropsUnknown(tokenizer, unknown) }, place, tell);
  if (cached === null) return null;
  const { files, report, start, dropped } = cached.about;
  const others = paths.filter((each) => changedSince(each, startedMs));
  const warning = `warning     ${others.join(", ")}: changed or gone since the run started; it goes on with what it started on`;
  const remarks = others.length === 0 ? [cached.remark] : [cached.remark, warning];
  return { path, paths, sha256, files, report, start, dropped, ids: cached.file, remarks };
}

/** Whether a file that was named is another now, as far as its date tells, or not there. */
function changedSince(path: string, timeMs: number): boolean {
  if (path === STDIN || path === TALES_NAME) return false;
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined || found.mtimeMs > timeMs;
}

/** null where there is none that is whole and fits. */
function openCached(of: TokensOf, place: CachePlace, { note }: ProgressReporter) {
  const path = cacheFile(place, of);
  if (!existsSync(path)) return null;
  try {
    const file = TokenFile.open(path);
    const known = about.safeParse(file.about);
    if (known.success && isFor(known.data, of))
      return { file, about: known.data, remark: remarkOn(file, "tokenized before") };
    file.close();
    note(`cache       ${path}: holds other tokens; it is made again`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    note(`cache       ${error.message}; it is made again`);
  }
  return null;
}

function isFor({ sha256, tokenizer, drops }: About, of: TokensOf): boolean {
  const same = JSON.stringify(tokenizer) === JSON.stringify(of.tokenizer);
  return sha256 === of.sha256 && same && drops === of.drops;
}

async function writeCache(
  corpus: Corpus,
  of: TokensOf,
  { drops, dropped, files, report, start, sha256 }: Omit<About, "tokenizer">,
  place: CachePlace,
  tell: ProgressReporter,
) {
  const path = cacheFile(place, of);
  const { tokenizer } = of;
  const { bytes } = corpus.facts;
  tell.note(`tokenizing  ${formatBytes(bytes)} of text, once, into ${path}`);
  const partial = hiddenName(place, basename(path, ".tokens"));
  const text = withProgress(corpus.bytes(), (done) =>
    tell.status(`tokenizing: ${Math.floor((100 * done) / bytes)} %`),
  );
  const kept: About = {
    sha256,
    tokenizer: tokenizer.toJSON(),
    drops,
    dropped,
    files,
    report,
    start,
  };
  // What is unknown was counted before: here it is dropped, or there is none.
  try {
    await writeTokens(path, tokenizer, text, { about: kept, unknown: "drop", partial });
  } catch (error) {
    if (!(error instanceof DataError) || failureReason(error.cause) === null) throw error;
    throw new DataError(`${error.message}; \`cache\` names another folder`, { cause: error });
  }
  const file = TokenFile.open(path);
  return { file, remark: remarkOn(file, "shared by all runs here on this text") };
}

function remarkOn(file: TokenFile, how: string): string {
  return `cache       ${formatBytes(statSync(file.path).size)} of tokens in ${file.path}, ${how}; may be deleted when no run needs it`;
}

async function* withProgress(chunks: AsyncIterable<Uint8Array>, onProgress: (bytes: number) => void) {
  let done = 0;
  for await (const chunk of chunks) {
    yield chunk;
    done += chunk.length;
    onProgress(done);
  }
}

function changed(path: string): DataError {
  return new DataError(`${path}: changed while it was read; start again`);
}
