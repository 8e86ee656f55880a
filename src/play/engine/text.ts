/** The texts that the page trains on: the tales, or a person's own. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import * as z from "zod";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../data/split.ts";
import { startOfText } from "../../data/text-start.ts";
import { TextScanner } from "../../data/text-stats.ts";
import { DataError } from "../../errors.ts";
import type { CorpusRecord } from "../../run/config.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";

export interface PlayText {
  /** A display name. */
  readonly name: string;
  readonly tokenizer: CharTokenizer;
  readonly ids: Int32Array;
  readonly split: CorpusSplit;
  readonly record: CorpusRecord;
  /** The entropy of the text's grammar, in nats per character; null if it is unknown. */
  readonly floorNats: number | null;
}

/** A text of a person: its name and its content. */
export interface OwnText {
  readonly name: string;
  readonly content: string;
}

/** As the command line calls them in config.json. */
const TALES_NAME = "the embedded tales";

const talesFacts = z.object({
  sha256: z.string(),
  split: z.object({ validation: z.object({ entropyNatsPerCharacter: z.number() }) }),
});

/** Fetches a file of the page. */
export type Fetch = (path: string) => Promise<Response>;

/** @throws DataError if the tales cannot be fetched */
export async function loadTales(fetchFile: Fetch): Promise<PlayText> {
  const [bytes, facts] = await Promise.all([
    fetchFile("tales.txt").then((response) => response.arrayBuffer()),
    fetchFile("tales.json").then((response) => response.json()),
  ]);
  const text = textOf(TALES_NAME, new Uint8Array(bytes));
  const known = talesFacts.parse(facts);
  const isOriginal = known.sha256 === text.record.sha256;
  return { ...text, floorNats: isOriginal ? known.split.validation.entropyNatsPerCharacter : null };
}

/** @throws DataError for a text of fewer than two characters, or one that is not UTF-8 */
export function ownText({ name, content }: OwnText): PlayText {
  return textOf(name, new TextEncoder().encode(content));
}

function textOf(name: string, bytes: Uint8Array): PlayText {
  const scanner = new TextScanner();
  if (scanner.push(bytes) >= 0) throw new DataError(`${name}: is not UTF-8 text`);
  const facts = scanner.facts();
  const content = new TextDecoder().decode(bytes);
  const tokenizer = CharTokenizer.fromText(content);
  const ids = tokenizer.encode(content);
  const split = splitCorpus<Int32Array>(ids);
  const record = {
    path: name,
    sha256: bytesToHex(sha256(bytes)),
    characters: ids.length,
    start: startOfText(facts, tokenizer),
  };
  return { name, tokenizer, ids, split, record, floorNats: null };
}

/** @throws DataError if the text is too short for a window of `contextLength` tokens in each split */
export function checkLength({ split }: PlayText, contextLength: number): void {
  checkSplit(split, contextLength);
}
