/**
 * The format of a token file.
 *
 *   one line of JSON    format, version, byte order, vocabulary size, number of tokens, SHA-256 of the ids, and the
 *                       writer's metadata; padded with spaces
 *   the ids             1, 2 or 4 bytes each, depending on the vocabulary size
 */
import { readSync } from "node:fs";
import * as z from "zod/mini";
import { DataError } from "../errors.ts";
import { failureReason } from "../util/failure-reason.ts";
import { nestsTooDeep } from "../util/json-depth.ts";
import type { TokenArray } from "./token-source.ts";

const FORMAT = "nopeek tokens";
const VERSION = 2;
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
  vocabSize: z.int().check(z.minimum(1)),
  tokens: z.int().check(z.minimum(0)),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  about: z.unknown(),
});

/** What a header records of the ids. */
export interface Contents {
  readonly vocabSize: number;
  readonly tokens: number;
  readonly sha256: string;
  /** JSON. */
  readonly about: unknown;
}

/** The header, padded to `room` bytes. */
export function headerOf({ vocabSize, tokens, sha256, about }: Contents, room: number): Uint8Array {
  const header = {
    format: FORMAT,
    version: VERSION,
    byteOrder: BYTE_ORDER,
    vocabSize,
    tokens,
    sha256,
    about,
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const line = new Uint8Array(Math.max(room, json.length + 1)).fill(SPACE);
  line.set(json);
  line[line.length - 1] = LF;
  return line;
}

/** @throws DataError if the file does not begin with the header of this version and byte order */
export function readHeader(
  descriptor: number,
  path: string,
): { readonly header: Contents; readonly length: number } {
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
  if (nestsTooDeep(json)) return null;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** Reads `count` bytes, or fewer at the end of the file. */
export function readFully(descriptor: number, into: Uint8Array, count: number, position: number): number {
  let got = 0;
  while (got < count) {
    const more = readSync(descriptor, into, got, count - got, position + got);
    if (more === 0) break;
    got += more;
  }
  return got;
}

export function bytesOf(ids: TokenArray): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
}

/** Runs a file operation. @throws DataError if the system reports an error, with the operation and the reason */
export function explain<T>(what: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new DataError(`${what}: ${reason}`, { cause });
  }
}
