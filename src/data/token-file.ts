/**
 * Token ids in a file, for a corpus larger than memory. Only the windows that are used are read. Such a file is written
 * under a temporary name and renamed at the end (see write-tokens.ts), so it is either complete or absent.
 */

import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { DataError } from "../errors.ts";
import { openRegular } from "../run/regular-file.ts";
import { checkTypes } from "../util/check-types.ts";
import { bytesOf, type Contents, explain, readFully, readHeader } from "./token-file-header.ts";
import { checkPlace, makeTokenArray, type TokenArray, type TokenSource } from "./token-source.ts";

/** Read at once to compute a hash. */
const CHUNK_BYTES = 1 << 20;

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
    checkTypes("TokenFile.open", { path }, { path: "string" });
    const { descriptor, bytes: size } = explain(`cannot read ${path}`, () => openRegular(path, "follow"));
    try {
      const { header, length } = explain(`cannot read ${path}`, () => readHeader(descriptor, path));
      const ids = new OpenFile(path, descriptor, length, header);
      const expected = length + header.tokens * ids.width;
      if (size !== expected)
        throw new DataError(`${path}: is damaged: it has ${size} bytes but should have ${expected}`);
      return new TokenFile(path, ids, header.about, 0, header.tokens);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /**
   * Reads the whole file, and compares the hash of its ids with the one that was recorded when it was written.
   *
   * @param onProgress called with the share that was read, up to 1
   * @throws DataError if they differ
   */
  verify(onProgress: (share: number) => void = () => {}): void {
    this.#ids.verify(onProgress);
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
  readonly #contents: Contents;
  #ids: TokenArray;
  #bytes: Uint8Array;

  constructor(path: string, descriptor: number, offset: number, contents: Contents) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#offset = offset;
    this.#contents = contents;
    this.#ids = makeTokenArray(contents.vocabSize, 0);
    this.#bytes = bytesOf(this.#ids);
    this.width = this.#ids.BYTES_PER_ELEMENT;
  }

  read(start: number, into: Int32Array): void {
    const count = into.length;
    if (this.#ids.length < count) {
      this.#ids = makeTokenArray(this.#contents.vocabSize, count);
      this.#bytes = bytesOf(this.#ids);
    }
    const wanted = count * this.width;
    const position = this.#offset + start * this.width;
    this.#readBytes(this.#bytes, wanted, position);
    const ids = this.#ids;
    const { vocabSize } = this.#contents;
    for (let i = 0; i < count; i++) {
      if (ids[i] >= vocabSize) throw this.#damaged(start + i, ids[i]);
      into[i] = ids[i];
    }
  }

  verify(onProgress: (share: number) => void): void {
    const { tokens, sha256 } = this.#contents;
    const end = tokens * this.width;
    const buffer = new Uint8Array(CHUNK_BYTES);
    const hash = createHash("sha256");
    for (let at = 0; at < end; at += CHUNK_BYTES) {
      const wanted = Math.min(CHUNK_BYTES, end - at);
      this.#readBytes(buffer, wanted, this.#offset + at);
      hash.update(buffer.subarray(0, wanted));
      onProgress((at + wanted) / end);
    }
    const found = hash.digest("hex");
    if (found === sha256) return;
    throw new DataError(
      `${this.#path}: is damaged: the SHA-256 of its ids should be ${sha256.slice(0, 12)}…: got ${found.slice(0, 12)}…`,
    );
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readBytes(into: Uint8Array, wanted: number, position: number): void {
    const got = explain(`cannot read ${this.#path}`, () =>
      readFully(this.#descriptor, into, wanted, position),
    );
    if (got < wanted) throw new DataError(`${this.#path}: was truncated while in use; start again`);
  }

  #damaged(place: number, id: number): DataError {
    return new DataError(
      `${this.#path}: is damaged: token ${place} has id ${id}, but ids must be below ${this.#contents.vocabSize}; delete the file to rebuild it`,
    );
  }
}
