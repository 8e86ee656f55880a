/** The texts that the page trains on: the tales, or a person's own. */
import type { Settings } from "../../config/settings.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../data/split.ts";
import { knownFloor, TALES_NAME } from "../../data/tales.ts";
import { startOfText } from "../../data/text-start.ts";
import { TextScanner } from "../../data/text-stats.ts";
import { DataError } from "../../errors.ts";
import type { CorpusRecord } from "../../run/config.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";
import { formatBytes, plural } from "../../util/format.ts";
import { printableLine } from "../../util/printable.ts";
import { sha256Hex } from "../../util/sha256.ts";

/** The largest text of a person. In training it takes about ten times as much memory. */
export const MOST_TEXT_BYTES = 20_000_000;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

export interface PlayText {
  /** A display name. */
  readonly name: string;
  /** Whether it is a person's, not the tales. */
  readonly isOwn: boolean;
  readonly tokenizer: CharTokenizer;
  readonly ids: Int32Array;
  readonly split: CorpusSplit;
  readonly record: CorpusRecord;
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
  return { ...text, isOwn: false, floorNats: knownFloor(text.record.sha256, facts) };
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
export function textOf(name: string, bytes: Uint8Array): PlayText {
  // As on the command line, the byte order mark is not part of the text, but of its SHA-256.
  const start = startsWithMark(bytes) ? BYTE_ORDER_MARK.length : 0;
  const scanner = new TextScanner();
  const wrong = scanner.push(bytes.subarray(start));
  if (wrong >= 0)
    throw new DataError(
      `${printableLine(name)}: is not UTF-8 text: byte ${start + wrong} begins no character; if it is a text, convert it to UTF-8`,
    );
  const facts = scanner.facts();
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
  return { name, isOwn: true, tokenizer, ids, split, record, floorNats: null };
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

function startsWithMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
}
