import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodedBytes } from "../../src/data/decoded-bytes.ts";
import { DataError } from "../../src/errors.ts";
import { anyText } from "../support/any-text.ts";
import { inChunks } from "../support/text-oracle.ts";

async function decode(bytes: Uint8Array, chunkBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const chunk of decodedBytes(inChunks(bytes, chunkBytes))) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}

const littleEndian = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
const bigEndian = (text: string) => littleEndian(text).swap16();
const forms: readonly [name: string, encode: (text: string) => Uint8Array][] = [
  ["UTF-8", (text) => Buffer.from(text)],
  ["UTF-16, little endian", littleEndian],
  ["UTF-16, big endian", bigEndian],
  ["gzip", (text) => gzipSync(text)],
  ["UTF-16 in gzip", (text) => gzipSync(bigEndian(text))],
];

describe("decodedBytes", () => {
  it.each(forms)("returns UTF-8 of a text in %s, for any chunk size", async (_form, encode) => {
    const chunkBytes = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(anyText, chunkBytes, async (text, chunkBytes) => {
        expect((await decode(encode(text), chunkBytes)).toString()).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves other bytes and short files as they are", async () => {
    for (const bytes of [[], [0x1f], [0xff], [0xfe, 0xfd], [0x1f, 0x8b], [0xef, 0xbb, 0xbf, 0x61]])
      expect(Array.from(await decode(Uint8Array.from(bytes), 1))).toEqual(bytes);
  });

  it("reports a damaged gzip file and invalid UTF-16", async () => {
    const packed = gzipSync("the fox ".repeat(100));
    await expect(decode(packed.subarray(0, packed.length - 9), 7)).rejects.toThrow("damaged gzip");
    packed[15] ^= 0xff;
    await expect(decode(packed, 7)).rejects.toThrow(DataError);
    await expect(decode(Uint8Array.of(0xff, 0xfe, 0x61), 2)).rejects.toThrow("not valid");
    await expect(decode(Uint8Array.of(0xff, 0xfe, 0x00, 0xdc), 2)).rejects.toThrow("not valid");
  });

  it("passes other errors on, and closes its source if the reader leaves early", async () => {
    let closed = 0;
    function* source(fails: boolean) {
      try {
        yield gzipSync("the fox");
        if (fails) throw new RangeError("the disk is gone");
        for (;;) yield new Uint8Array(1000);
      } finally {
        closed += 1;
      }
    }
    await expect(async () => {
      for await (const _ of decodedBytes(source(true)));
    }).rejects.toThrow("the disk is gone");
    const plain = (function* () {
      try {
        for (;;) yield Uint8Array.of(97, 98, 99);
      } finally {
        closed += 1;
      }
    })();
    for await (const _ of decodedBytes(plain)) break;
    expect(closed).toBe(2);
  });
});
