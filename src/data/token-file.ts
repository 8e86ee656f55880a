/**
 * Token ids in a file, for a corpus larger than memory. Only the windows that are used are read.
 *
 *   one line of JSON    format, version, byte order, vocabulary size, number of tokens, and the writer's metadata;
 *                       padded with spaces
 *   the ids             1, 2 or 4 bytes each, depending on the vocabulary size
 *
 * A file is written under a temporary name and renamed at the end, so it is either complete or absent.
 */
import { closeSync, fsyncSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { z } from "zod";
import { DataError, TokenError } from "../errors.ts";
import { createAfresh, openRegular } from "../run/regular-file.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { wholeCharacters } from "../text/utf8.ts";
import { failureReason } from "../util/failure-reason.ts";
import { StreamingEncoder } from "./streaming-encoder.ts";
import { checkPlace, makeTokenArray, type TokenArray, type TokenSource } from "./token-source.ts";

const FORMAT = "nopeek tokens";
const VERSION = 1;
/** Ids are written in this machine's byte order. */
const BYTE_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "little" : "big";
/** Longer than any header: a vocabulary of all Unicode characters takes 4 MB. */
const LONGEST_HEADER = 1 << 25;
const HEADER_STEP = 1 << 16;
const [LF, SPACE] = [10, 32];

const layout = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  byteOrder: z.literal(BYTE_ORDER),
  vocabSize: z.int().min(1),
  tokens: z.int().min(0),
  about: z.unknown(),
});

/**
 * A token file, opened for reading. Its ids are read on demand, so it can be used wherever an array of ids can.
 *
 * @example
 * const file = TokenFile.open("corpus.tokens");
 * const { train, validation } = splitCorpus(file);
 * const objective = new NextToken(model, train, { contextLength: 64, batchSize: 12, seed: 1337 });
 */
export class TokenFile implements TokenSource {
  readonly path: string;
  readonly length: number;
  /** The JSON metadata passed to `writeTokens`. */
  readonly about: unknown;
  readonly #ids: OpenFile;
  /** The index in the file of this part's first id. */
  readonly #first: number;

  private constructor(path: string, ids: OpenFile, about: unknown, first: number, length: number) {
    this.path = path;
    this.#ids = ids;
    this.about = about;
    this.#first = first;
    this.length = length;
  }

  /** @throws DataError if the file is missing, incomplete, not a token file, or from another version or byte order */
  static open(path: string): TokenFile {
    const { descriptor, bytes: size } = explain(`cannot read ${path}`, () => openRegular(path, "follow"));
    try {
      const { header, length } = explain(`cannot read ${path}`, () => readHeader(descriptor, path));
      const ids = new OpenFile(path, descriptor, length, header.vocabSize);
      const expected = length + header.tokens * ids.width;
      if (size !== expected)
        throw new DataError(`${path}: is damaged: it has ${size} bytes but should have ${expected}`);
      return new TokenFile(path, ids, header.about, 0, header.tokens);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  read(start: number, into: Int32Array): void {
    checkPlace(start, into.length, this.length);
    this.#ids.read(this.#first + start, into);
  }

  subarray(start: number, end: number = this.length): TokenFile {
    checkPlace(start, end - start, this.length);
    return new TokenFile(this.path, this.#ids, this.about, this.#first + start, end - start);
  }

  /** Closes the file, for all its parts. */
  close(): void {
    this.#ids.close();
  }
}

/** An open file and the buffer for reading its ids. */
class OpenFile {
  readonly width: number;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #offset: number;
  readonly #vocabSize: number;
  #ids: TokenArray;
  #bytes: Uint8Array;

  constructor(path: string, descriptor: number, offset: number, vocabSize: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#offset = offset;
    this.#vocabSize = vocabSize;
    this.#ids = makeTokenArray(vocabSize, 0);
    this.#bytes = bytesOf(this.#ids);
    this.width = this.#ids.BYTES_PER_ELEMENT;
  }

  read(start: number, into: Int32Array): void {
    const count = into.length;
    if (this.#ids.length < count) {
      this.#ids = makeTokenArray(this.#vocabSize, count);
      this.#bytes = bytesOf(this.#ids);
    }
    const wanted = count * this.width;
    const position = this.#offset + start * this.width;
    const got = explain(`cannot read ${this.#path}`, () =>
      readFully(this.#descriptor, this.#bytes, wanted, position),
    );
    if (got < wanted) throw new DataError(`${this.#path}: was truncated while in use; start again`);
    const ids = this.#ids;
    for (let i = 0; i < count; i++) {
      if (ids[i] >= this.#vocabSize) throw this.#damaged(start + i, ids[i]);
      into[i] = ids[i];
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #damaged(place: number, id: number): DataError {
    return new DataError(
      `${this.#path}: is damaged: token ${place} has id ${id}, but ids must be below ${this.#vocabSize}; delete the file to rebuild it`,
    );
  }
}

export interface WriteOptions {
  /** JSON metadata to store with the ids. */
  readonly about?: unknown;
  /** How to handle characters outside the vocabulary. Default: "reject". */
  readonly unknown?: "reject" | "drop";
  /** The temporary path while writing. Default: `path` + ".partial". */
  readonly partial?: string;
}

/**
 * Tokenizes a text into a file, in constant memory. If it fails, an existing file at `path` stays unchanged.
 *
 * @param text bytes in UTF-8, in chunks that may end anywhere
 * @throws DataError if the file cannot be written or the text is not UTF-8
 * @throws TokenError for a character outside the vocabulary, if `unknown` is "reject"
 * @example
 * await writeTokens("corpus.tokens", new ByteTokenizer(), createReadStream("corpus.txt"));
 */
export async function writeTokens(
  path: string,
  tokenizer: Tokenizer,
  text: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  const { about = null, unknown = "reject", partial = `${path}.partial` } = options;
  const failing = `cannot write ${path}`;
  const { vocabSize } = tokenizer;
  const encoder = new StreamingEncoder(tokenizer);
  const descriptor = explain(failing, () => createAfresh(partial));
  try {
    // The number of tokens is not known yet, so reserve room for the largest.
    const room = headerOf(vocabSize, Number.MAX_SAFE_INTEGER, about, 0).length;
    let tokens = 0;
    let ids: TokenArray = makeTokenArray(vocabSize, 0);
    let position = room;
    for await (const chunk of wholeCharacters(text)) {
      if (ids.length < chunk.length) ids = makeTokenArray(vocabSize, chunk.length);
      const count = encoder.encode(chunk, ids);
      if (encoder.dropped > 0 && unknown === "reject")
        throw new TokenError(
          `${path}: the text has characters outside the tokenizer's vocabulary of ${vocabSize}; unknown: "drop" leaves them out`,
        );
      const bytes = bytesOf(ids).subarray(0, count * ids.BYTES_PER_ELEMENT);
      explain(failing, () => writeFully(descriptor, bytes, position));
      position += bytes.length;
      tokens += count;
    }
    explain(failing, () => {
      writeFully(descriptor, headerOf(vocabSize, tokens, about, room), 0);
      fsyncSync(descriptor);
    });
    closeSync(descriptor);
    explain(failing, () => renameSync(partial, path));
  } catch (error) {
    discard(descriptor, partial);
    throw error;
  }
}

function headerOf(vocabSize: number, tokens: number, about: unknown, room: number): Uint8Array {
  const header = { format: FORMAT, version: VERSION, byteOrder: BYTE_ORDER, vocabSize, tokens, about };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const line = new Uint8Array(Math.max(room, json.length + 1)).fill(SPACE);
  line.set(json);
  line[line.length - 1] = LF;
  return line;
}

function readHeader(descriptor: number, path: string) {
  for (let size = HEADER_STEP; size <= LONGEST_HEADER; size *= 2) {
    const bytes = new Uint8Array(size);
    const got = readFully(descriptor, bytes, size, 0);
    const end = bytes.subarray(0, got).indexOf(LF);
    if (end < 0 && got === size) continue;
    if (end < 0) break;
    const header = layout.safeParse(parse(new TextDecoder().decode(bytes.subarray(0, end))));
    if (header.success) return { header: header.data, length: end + 1 };
    break;
  }
  throw new DataError(`${path}: is not a token file that this version of nopeek can read on this machine`);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** Reads `count` bytes, or fewer at the end of the file. */
function readFully(descriptor: number, into: Uint8Array, count: number, position: number): number {
  let got = 0;
  while (got < count) {
    const more = readSync(descriptor, into, got, count - got, position + got);
    if (more === 0) break;
    got += more;
  }
  return got;
}

function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

/** Closes and removes a partial file. A failure to close is ignored, because it would hide the original error. */
function discard(descriptor: number, partial: string): void {
  try {
    closeSync(descriptor);
  } catch (error) {
    if (failureReason(error) === null) throw error;
  }
  rmSync(partial, { force: true });
}

function bytesOf(ids: TokenArray): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
}

/** Runs a file operation. @throws DataError if the system reports an error, with the operation and the reason */
function explain<T>(what: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new DataError(`${what}: ${reason}`, { cause });
  }
}
