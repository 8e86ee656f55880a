/** Writes token files. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, renameSync, rmSync, writeSync } from "node:fs";
import { TokenError } from "../errors.ts";
import { createAfresh } from "../run/regular-file.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { wholeCharacters } from "../text/utf8.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import { failureReason } from "../util/failure-reason.ts";
import { StreamingEncoder } from "./streaming-encoder.ts";
import { bytesOf, explain, headerOf } from "./token-file-header.ts";
import { makeTokenArray, type TokenArray } from "./token-source.ts";

const writeTypes = {
  path: "string",
  tokenizer: ["encode", "vocabSize"],
  text: [],
  options: "object",
} as const;

export interface WriteOptions {
  /** JSON metadata to store with the ids. */
  readonly about?: unknown;
  /** How to handle characters outside the vocabulary. Default: "reject". */
  readonly unknown?: "reject" | "drop";
  /** Texts that follow the first one. No token is in two of them. */
  readonly more?: readonly AsyncIterable<Uint8Array>[];
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
  checkTypes("writeTokens", { path, tokenizer, text, options }, writeTypes);
  const { about = null, unknown = "reject", more = [], partial = `${path}.partial` } = options;
  checkChoice("unknown", unknown, ["reject", "drop"]);
  checkTypes("writeTokens", { partial }, { partial: "string" });
  const failing = `cannot write ${path}`;
  const { vocabSize } = tokenizer;
  const encoder = new StreamingEncoder(tokenizer);
  const descriptor = explain(failing, () => createAfresh(partial));
  try {
    // The number of tokens is not known yet, so reserve room for the largest.
    const largest = { vocabSize, tokens: Number.MAX_SAFE_INTEGER, sha256: "0".repeat(64), about };
    const room = headerOf(largest, 0).length;
    const hash = createHash("sha256");
    let tokens = 0;
    let ids: TokenArray = makeTokenArray(vocabSize, 0);
    let position = room;
    const write = (part: ArrayLike<number>) => {
      if (ids.length < part.length) ids = makeTokenArray(vocabSize, part.length);
      ids.set(part);
      const bytes = bytesOf(ids).subarray(0, part.length * ids.BYTES_PER_ELEMENT);
      explain(failing, () => writeFully(descriptor, bytes, position));
      hash.update(bytes);
      position += bytes.length;
      tokens += part.length;
    };
    const writeChunk = (chunk: Uint8Array) => {
      const part = encoder.encode(chunk);
      if (encoder.dropped > 0 && unknown === "reject")
        throw new TokenError(
          `${path}: the text has characters outside the tokenizer's vocabulary of ${vocabSize}; unknown: "drop" leaves them out`,
        );
      write(part);
    };
    for (const each of [text, ...more]) {
      for await (const chunk of wholeCharacters(each)) writeChunk(chunk);
      write(encoder.end());
    }
    const header = headerOf({ vocabSize, tokens, sha256: hash.digest("hex"), about }, room);
    explain(failing, () => {
      writeFully(descriptor, header, 0);
      fsyncSync(descriptor);
    });
    closeSync(descriptor);
    explain(failing, () => renameSync(partial, path));
  } catch (error) {
    discard(descriptor, partial);
    throw error;
  }
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
