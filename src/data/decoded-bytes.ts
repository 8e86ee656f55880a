/** Files as people have them, as bytes of UTF-8: gzip is unpacked, and UTF-16 with a byte order mark is converted. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "../errors.ts";
import { concatenate } from "../text/utf8.ts";

const GZIP = [0x1f, 0x8b, 0x08];
const [LITTLE, BIG] = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/**
 * The bytes of a file, unpacked and converted. A chunk is valid only until the next one is read.
 *
 * @throws DataError if a gzip file is damaged, or UTF-16 is invalid
 */
export async function* decodedBytes(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const raw = await withHead(chunks);
  const unpacked = begins(raw.head, GZIP) ? await withHead(gunzip(raw.all())) : raw;
  if (begins(unpacked.head, LITTLE)) yield* fromUtf16(unpacked.all(), "utf-16le");
  else if (begins(unpacked.head, BIG)) yield* fromUtf16(unpacked.all(), "utf-16be");
  else yield* unpacked.all();
}

interface WithHead {
  /** The first bytes: 3, or fewer in a shorter file. */
  readonly head: Uint8Array;
  /** All bytes, once. */
  all(): AsyncGenerator<Uint8Array>;
}

async function withHead(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<WithHead> {
  const iterator = iterate(chunks);
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < GZIP.length) {
    const next = await iterator.next();
    if (next.done) break;
    head = concatenate(head, next.value);
  }
  return {
    head,
    async *all() {
      try {
        if (head.length > 0) yield head;
        yield* iterator;
      } finally {
        // Closes the file, also if the reader leaves early.
        await iterator.return(undefined);
      }
    },
  };
}

async function* iterate(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  yield* chunks;
}

function begins(head: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => head[i] === byte);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Copies, because the stream reads ahead.
  const copies = (async function* () {
    for await (const chunk of chunks) yield chunk.slice();
  })();
  const source = Readable.from(copies);
  const unpacking = createGunzip();
  source.on("error", (error) => unpacking.destroy(error));
  try {
    for await (const chunk of source.pipe(unpacking)) yield chunk;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_"))) throw cause;
    throw new DataError(`is a damaged gzip file: ${cause.message}`, { cause });
  } finally {
    source.destroy();
  }
}

async function* fromUtf16(
  chunks: AsyncIterable<Uint8Array>,
  encoding: "utf-16le" | "utf-16be",
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  try {
    for await (const chunk of chunks) yield encoder.encode(decoder.decode(chunk, { stream: true }));
    yield encoder.encode(decoder.decode());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new DataError("begins like UTF-16, but is not valid; convert it to UTF-8 first", { cause });
  }
}
