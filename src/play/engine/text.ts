/** The texts that the page trains on: the tales, or a person's own. */
import type { Settings } from "../../config/settings.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../data/split.ts";
import { StreamingEncoder } from "../../data/streaming-encoder.ts";
import { knownFloor, TALES_NAME } from "../../data/tales.ts";
import { startOfText } from "../../data/text-start.ts";
import { TextScanner } from "../../data/text-stats.ts";
import { DataError } from "../../errors.ts";
import type { CorpusRecord, RunConfig } from "../../run/config.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { dropsUnknown } from "../../text/unknown.ts";
import { formatBytes, plural } from "../../util/format.ts";
import { printableLine } from "../../util/printable.ts";
import { sha256Hex } from "../../util/sha256.ts";
import { MOST_TEXT_BYTES } from "./limits.ts";

export interface PlayText {
  /** A display name. */
  readonly name: string;
  /** Whether it is a person's, not the tales. */
  readonly isOwn: boolean;
  readonly tokenizer: Tokenizer;
  readonly ids: Int32Array;
  readonly split: CorpusSplit;
  readonly record: CorpusRecord;
  /** Its bytes as they were read; null for the tales. */
  readonly file: Blob | null;
  /** The entropy of the text's grammar, in nats per character; null if it is unknown. */
  readonly floorNats: number | null;
}

/** Fetches a file of the page. */
export type Fetch = (path: string) => Promise<Response>;

/** @throws DataError if the tales cannot be fetched */
export async function loadTales(fetchFile: Fetch): Promise<PlayText> {
  const [bytes, facts] = await Promise.all([
    fetchFile("tales.txt").then((response) => response.arrayBuffer()),
    fetchFile("tales.json").then((response) => response.json()),
  ]);
  const text = textOf(TALES_NAME, new Uint8Array(bytes));
  return { ...text, isOwn: false, file: null, floorNats: knownFloor(text.record.sha256, facts) };
}

/**
 * Reads a person's own text.
 *
 * @throws DataError for one that is too large, empty, binary or not UTF-8
 */
export async function readOwnText(name: string, file: Blob): Promise<PlayText> {
  const shown = printableLine(name);
  if (file.size > MOST_TEXT_BYTES)
    throw new DataError(
      `${shown}: has ${formatBytes(file.size)}, and a text here may have at most ${formatBytes(MOST_TEXT_BYTES)}; train on it with the command line`,
    );
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) throw new DataError(`${shown}: is empty: a model needs some text to learn from`);
  if (bytes.includes(0)) throw new DataError(`${shown}: holds bytes of 0: it is a binary file, not a text`);
  // The command line gives two names another meaning: those of standard input and of the tales.
  return textOf(name === "-" || name === TALES_NAME ? `./${name}` : name, bytes);
}

/**
 * A text as the command line reads it, so that a run goes over from one to the other.
 *
 * @throws DataError if it is not UTF-8
 */
export function textOf(name: string, bytes: Uint8Array<ArrayBuffer>): PlayText {
  const scanner = new TextScanner();
  const wrong = scanner.push(bytes);
  if (wrong >= 0)
    throw new DataError(
      `${printableLine(name)}: is not UTF-8 text: byte ${wrong} begins no character; if it is a text, convert it to UTF-8`,
    );
  const facts = scanner.facts();
  // Without a byte order mark, which is a part of the SHA-256 and not of the text, as on the command line.
  const content = new TextDecoder().decode(bytes);
  const tokenizer = CharTokenizer.fromText(content);
  const ids = tokenizer.encode(content);
  const split = splitCorpus<Int32Array>(ids);
  const record = {
    path: name,
    sha256: sha256Hex(bytes),
    characters: ids.length,
    start: startOfText(facts, tokenizer),
  };
  // A copy: the file on disk may change, or be removed.
  const file = new Blob([bytes]);
  return { name, isOwn: true, tokenizer, ids, split, record, file, floorNats: null };
}

/**
 * A text in the tokens of a run that was trained on it.
 *
 * @throws DataError if it is another text
 * @throws TokenError for a character that the run does not know
 */
export function textFor({ settings, tokenizer, corpus }: RunConfig, text: PlayText): PlayText {
  if (corpus === null || corpus.sha256 !== text.record.sha256)
    throw new DataError(
      `${printableLine(text.name)}: is not the text of this run (${printableLine(corpus?.path ?? "none")}, ${plural(corpus?.characters ?? 0, "character")}): its SHA-256 differs`,
    );
  // Most runs have the tokens that the text has here.
  if (JSON.stringify(tokenizer.toJSON()) === JSON.stringify(text.tokenizer.toJSON()))
    return { ...text, record: corpus };
  const content = text.tokenizer.decode(text.ids);
  if (!dropsUnknown(tokenizer, settings.unknown))
    return withIds(text, corpus, tokenizer, tokenizer.encode(content));
  const bytes = new TextEncoder().encode(content);
  const ids = Int32Array.from(new StreamingEncoder(tokenizer).encode(bytes));
  return withIds(text, corpus, tokenizer, ids);
}

function withIds(text: PlayText, record: CorpusRecord, tokenizer: Tokenizer, ids: Int32Array): PlayText {
  return { ...text, record, tokenizer, ids, split: splitCorpus<Int32Array>(ids) };
}

/**
 * Settings that fit a text: the context shrinks until the validation split has room for a window.
 *
 * @throws DataError if the text is too short for any
 */
export function fitToText(settings: Settings, { name, ids }: PlayText): Settings {
  // Splits of nine tenths and one tenth, each with a window of T tokens and one more to predict: 10·T + 1 tokens.
  const longest = Math.floor((ids.length - 1) / 10);
  if (longest < 1)
    throw new DataError(
      `${printableLine(name)}: has ${plural(ids.length, "character")}, and at least 11 are needed: a tenth is kept for validation`,
    );
  return { ...settings, contextLength: Math.min(settings.contextLength, longest) };
}

/** @throws DataError if the text is too short for a window of `contextLength` tokens in each split */
export function checkLength({ split }: PlayText, contextLength: number): void {
  checkSplit(split, contextLength);
}
