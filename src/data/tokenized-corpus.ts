/**
 * Tokenizes a text into memory or, if it is large, into a cache file next to the run. Training treats both the same.
 */
import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import * as z from "zod/mini";
import { DOCUMENTS, SPLITS } from "../config/choices.ts";
import type { Settings } from "../config/settings.ts";
import { DataError } from "../errors.ts";
import type { CorpusRecord } from "../run/config.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { dropsUnknown, type UnknownPolicy } from "../text/unknown.ts";
import { failureReason } from "../util/failure-reason.ts";
import { formatBytes } from "../util/format.ts";
import type { ProgressReporter } from "../util/progress-reporter.ts";
import type { Corpus } from "./corpus.ts";
import { type CorpusReport, reportCorpus } from "./corpus-report.ts";
import { documentBoundary } from "./split.ts";
import { StreamingEncoder } from "./streaming-encoder.ts";
import { TALES_NAME } from "./tales.ts";
import { STDIN } from "./text-files.ts";
import { type CachePlace, cacheFile, hiddenName, type TokensOf } from "./token-cache.ts";
import { TokenFile } from "./token-file.ts";
import { makeTokenArray, type TokenIds } from "./token-source.ts";
import { writeTokens } from "./write-tokens.ts";

export interface TokenizedText {
  /** The display name, and the paths as given. */
  readonly path: string;
  readonly paths: readonly string[];
  readonly sha256: string;
  /** The number of files. */
  readonly files: number;
  readonly report: CorpusReport;
  readonly ids: TokenIds;
  /** The index of the first id to validate with. */
  readonly boundary: number;
  /** The number of unknown characters that were dropped. */
  readonly dropped: number;
  /** Messages for the user about where the ids are stored. */
  readonly remarks: readonly string[];
}

export interface TokenCounts {
  readonly tokens: number;
  /** Of characters that are unknown. */
  readonly dropped: number;
  /** The number of tokens to train on; null if the text is split at its end. */
  readonly boundary: number | null;
}

const count = z.int().check(z.minimum(0));

/** The metadata in a cache file. */
const about = z.object({
  sha256: z.string(),
  tokenizer: z.unknown(),
  drops: z.boolean(),
  documents: z._default(z.enum(DOCUMENTS), "none"),
  split: z._default(z.enum(SPLITS), "tail"),
  boundary: z._default(z.nullable(count), null),
  dropped: count,
  files: z.int().check(z.minimum(1)),
  report: z.object({
    characters: count,
    distinct: count,
    documents: z._default(count, 0),
    rarest: z.readonly(z.array(z.object({ character: z.string(), count: z.int() }))),
    warnings: z.readonly(z.array(z.string())),
  }),
});
type About = z.infer<typeof about>;

/**
 * The number of tokens in a text, of its unknown characters that are dropped, and of its tokens to train on (null if
 * the text is split at its end).
 *
 * @throws TokenError for a character outside the vocabulary, unless `policy` drops it
 */
export async function countTokens(
  corpus: Corpus,
  tokenizer: Tokenizer,
  policy: UnknownPolicy,
): Promise<TokenCounts> {
  const drops = dropsUnknown(tokenizer, policy);
  const encoder = new StreamingEncoder(tokenizer);
  const { tokens, unknown: dropped } = encoder.count(corpus.marked);
  if (tokens === null) return { ...(await countByEncoding(corpus, encoder)), dropped };
  if (dropped > 0 && !drops)
    throw (await encoder.findUnknown(corpus.bytes(), corpus.marked)) ?? changed(corpus.path);
  const boundary = corpus.training === null ? null : encoder.count(corpus.training).tokens;
  return { tokens, dropped, boundary };
}

/** The two parts are encoded one after the other, so that no token is in both. */
async function countByEncoding(corpus: Corpus, encoder: StreamingEncoder) {
  const { training, validation } = await corpus.parts();
  const boundary = await countIds(training(), encoder);
  return { tokens: boundary + (await countIds(validation(), encoder)), boundary };
}

async function countIds(chunks: AsyncIterable<Uint8Array>, encoder: StreamingEncoder): Promise<number> {
  let count = 0;
  for await (const chunk of chunks) count += encoder.encode(chunk).length;
  return count + encoder.end().length;
}

/** The texts to encode: one, or two parts if no token may be in both. */
async function textsOf(corpus: Corpus, encoder: StreamingEncoder): Promise<AsyncIterable<Uint8Array>[]> {
  if (!encoder.needsContext) return [corpus.markedBytes()];
  const { training, validation } = await corpus.parts();
  return [training(), validation()];
}

/**
 * Tokenizes a corpus, or opens its cache file if there is one.
 *
 * @param counted what `countTokens` returned, if it was called before
 * @throws TokenError for a character outside the vocabulary, unless `unknown` drops it
 * @throws DataError if the cache cannot be written, or the text has changed
 */
export async function tokenize(
  corpus: Corpus,
  tokenizer: Tokenizer,
  unknown: UnknownPolicy,
  place: CachePlace,
  progress: ProgressReporter,
  counted: TokenCounts | null = null,
): Promise<TokenizedText> {
  const drops = dropsUnknown(tokenizer, unknown);
  const { path, paths, sha256, facts, documents } = corpus;
  const { tokens, dropped, boundary } = counted ?? (await countTokens(corpus, tokenizer, unknown));
  const encoder = new StreamingEncoder(tokenizer);
  const files = corpus.files.length;
  const known = {
    path,
    paths,
    sha256,
    files,
    report: reportCorpus(facts, corpus.marked.documents, corpus.skipped),
    dropped,
  };
  try {
    if (facts.bytes <= place.inMemoryBytes) {
      const ids = makeTokenArray(tokenizer.vocabSize, tokens);
      let at = 0;
      const add = (part: ArrayLike<number>) => {
        ids.set(part, at);
        at += part.length;
      };
      for (const text of await textsOf(corpus, encoder)) {
        for await (const chunk of text) add(encoder.encode(chunk));
        add(encoder.end());
      }
      return { ...known, ids, boundary: boundary ?? documentBoundary(ids, tokenizer.endOfText), remarks: [] };
    }
    const of = { sha256, tokenizer, drops, documents, split: corpus.split, boundary };
    const { file, remark } =
      openCached(of, { tokens, characters: facts.characters }, place, progress) ??
      (await writeCache(corpus, of, { ...known, drops }, place, progress));
    const start = boundary ?? documentBoundary(file, tokenizer.endOfText);
    return { ...known, ids: file, boundary: start, remarks: [remark] };
  } finally {
    corpus.release();
  }
}

/**
 * Finds the tokens of a run's original text in the cache, without reading the text; null if they are not cached.
 *
 * @param startedMs the time when the run was started
 */
export function findTokenized(
  record: CorpusRecord,
  startedMs: number,
  tokenizer: Tokenizer,
  { unknown, documents, split }: Pick<Settings, "unknown" | "documents" | "split">,
  place: CachePlace,
  progress: ProgressReporter,
): TokenizedText | null {
  const { path, paths = [path], sha256, boundary = null } = record;
  const of = { sha256, tokenizer, drops: dropsUnknown(tokenizer, unknown), documents, split, boundary };
  const cached = openCached(of, { tokens: null, characters: record.characters }, place, progress);
  if (cached === null) return null;
  const { files, report, dropped } = cached.about;
  const others = paths.filter((each) => changedSince(each, startedMs));
  const warning = `warning     ${others.join(", ")}: changed or deleted since the run started; the run continues with the original text`;
  const remarks = others.length === 0 ? [cached.remark] : [cached.remark, warning];
  const start = boundary ?? documentBoundary(cached.file, tokenizer.endOfText);
  return { path, paths, sha256, files, report, dropped, ids: cached.file, boundary: start, remarks };
}

/** Whether a file was modified since, according to its date, or no longer exists. */
function changedSince(path: string, timeMs: number): boolean {
  if (path === STDIN || path === TALES_NAME) return false;
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined || found.mtimeMs > timeMs;
}

/** The size of a text: its tokens, or null if they were not counted, and its characters. */
interface Size {
  readonly tokens: number | null;
  readonly characters: number;
}

/** Opens the cache file; null if there is none that is complete, undamaged and of this text. */
function openCached(of: TokensOf, size: Size, place: CachePlace, { note, status }: ProgressReporter) {
  const path = cacheFile(place, of);
  if (!existsSync(path)) return null;
  try {
    const file = TokenFile.open(path);
    try {
      const known = about.safeParse(file.about);
      if (known.success && isFor(known.data, of) && hasSize(file, known.data, size)) {
        file.verify((share) => status(`checking the token cache: ${Math.floor(100 * share)}%`));
        return { file, about: known.data, remark: remarkOn(file, "tokenized before") };
      }
    } catch (error) {
      file.close();
      throw error;
    } finally {
      status("");
    }
    file.close();
    note(`cache       ${path}: contains other tokens; rebuilding it`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    note(`cache       ${error.message}; rebuilding it`);
  }
  return null;
}

function isFor({ sha256, tokenizer, drops, documents, split, boundary }: About, of: TokensOf): boolean {
  const same = JSON.stringify(tokenizer) === JSON.stringify(of.tokenizer);
  const sameParts = documents === of.documents && split === of.split && boundary === of.boundary;
  return sha256 === of.sha256 && same && drops === of.drops && sameParts;
}

function hasSize(file: TokenFile, { report }: About, { tokens, characters }: Size): boolean {
  return report.characters === characters && (tokens === null || tokens === file.length);
}

async function writeCache(
  corpus: Corpus,
  of: TokensOf,
  { drops, dropped, files, report, sha256 }: Omit<About, "tokenizer" | "documents" | "split" | "boundary">,
  place: CachePlace,
  progress: ProgressReporter,
) {
  const path = cacheFile(place, of);
  const { tokenizer, documents, split, boundary } = of;
  const { bytes } = corpus.facts;
  progress.note(`tokenizing  ${formatBytes(bytes)} of text into ${path} (only once)`);
  const partial = hiddenName(place, basename(path, ".tokens"));
  let done = 0;
  const onChunk = (chunk: Uint8Array) => {
    done += chunk.length;
    progress.status(`tokenizing: ${Math.floor((100 * done) / bytes)}%`);
  };
  const texts = (await textsOf(corpus, new StreamingEncoder(tokenizer))).map((text) =>
    watched(text, onChunk),
  );
  const metadata: About = {
    sha256,
    tokenizer: tokenizer.toJSON(),
    drops,
    documents,
    split,
    boundary,
    dropped,
    files,
    report,
  };
  // Unknown characters were counted before: either they are to be dropped, or there are none.
  try {
    const [text, ...more] = texts;
    await writeTokens(path, tokenizer, text, { about: metadata, unknown: "drop", partial, more });
  } catch (error) {
    if (!(error instanceof DataError) || failureReason(error.cause) === null) throw error;
    throw new DataError(`${error.message}; \`cache\` names another folder`, { cause: error });
  }
  const file = TokenFile.open(path);
  return { file, remark: remarkOn(file, "shared by all runs on this text in this folder") };
}

function remarkOn(file: TokenFile, how: string): string {
  return `cache       ${formatBytes(statSync(file.path).size)} of tokens in ${file.path}, ${how}; delete it when no run needs it`;
}

async function* watched(chunks: AsyncIterable<Uint8Array>, onChunk: (chunk: Uint8Array) => void) {
  for await (const chunk of chunks) {
    yield chunk;
    onChunk(chunk);
  }
}

function changed(path: string): DataError {
  return new DataError(`${path}: changed while it was being read; start again`);
}
