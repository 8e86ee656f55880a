/** Streaming texts from files gives the same results as a string in memory, for any chunk size. */

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { processes } from "../../src/cli/shared/process-lock.ts";
import { readTexts } from "../../src/data/corpus.ts";
import { vocabularyOf } from "../../src/data/text-stats.ts";
import { readIds } from "../../src/data/token-source.ts";
import { tokenize } from "../../src/data/tokenized-corpus.ts";
import { DataError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { decode, factsOf, idsOf } from "../support/text-oracle.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-texts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const MARK = "\uFEFF";
const inMemory = { inMemoryBytes: 1e6, folder: at("cache"), processes: processes() };
const inFile = { inMemoryBytes: 0, folder: at("cache"), processes: processes() };
const silent = { note: () => {}, status: () => {} };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const read = (contents: readonly Uint8Array[], chunkBytes?: number, place = inFile) => {
  const paths = contents.map((_, i) => at(`text-${i}.txt`));
  contents.forEach((bytes, i) => {
    writeFileSync(paths[i], bytes);
  });
  return readTexts(paths, place, { chunkBytes });
};

async function complaint(bytes: Uint8Array, chunkBytes?: number): Promise<string> {
  const error: unknown = await read([bytes], chunkBytes).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DataError);
  return error instanceof DataError ? error.message : "";
}

/** Line breaks, byte order marks, and characters of every length in UTF-8, most of them repeated. */
const character = fc.constantFrom(
  "a",
  "b",
  "\n",
  "\r",
  "\r\n",
  "\0",
  "é",
  "€",
  "\uE000",
  MARK,
  "😀",
  "\u{10FFFF}",
);
const text = fc.array(character, { minLength: 1, maxLength: 40 }).map((all) => all.join(""));
const chunk = fc.integer({ min: 1, max: 9 });

describe("a streamed text", () => {
  it("has the statistics, SHA-256 and ids of the same text in memory, for any chunk size", async () => {
    await fc.assert(
      fc.asyncProperty(text, chunk, fc.boolean(), async (text, chunkBytes, marked) => {
        const bytes = bytesOf(marked ? MARK + text : text);
        // A byte order mark at the start is not part of the text; a second one is.
        const plain = decode(bytes) ?? "";
        if (plain === "") return;
        for (const place of [inMemory, inFile]) {
          const corpus = await read([bytes], chunkBytes, place);
          expect(corpus.facts).toEqual(factsOf(plain));
          expect([...corpus.facts.counts]).toEqual([...factsOf(plain).counts]);
          expect(corpus.sha256).toBe(sha256(bytes));
          const tokenizer = new CharTokenizer(vocabularyOf(corpus.facts));
          expect(tokenizer.toJSON()).toEqual(CharTokenizer.fromText(plain).toJSON());
          const { ids } = await tokenize(corpus, tokenizer, "reject", place, silent);
          expect(Array.from(readIds(ids, 0, ids.length))).toEqual(idsOf(plain));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("joins several files, each without its byte order mark and ending with a line break", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 2, maxLength: 3 }), chunk, async (texts, chunkBytes) => {
        const plain = texts.map((text) => decode(bytesOf(text)) ?? "");
        if (plain.includes("")) return;
        const joined = plain.map((text) => (text.endsWith("\n") ? text : `${text}\n`)).join("");
        const corpus = await read(texts.map(bytesOf), chunkBytes);
        expect(corpus.facts).toEqual(factsOf(joined));
        expect(corpus.sha256).toBe(sha256(bytesOf(joined)));
        const { ids } = await tokenize(corpus, new ByteTokenizer(), "reject", inFile, silent);
        expect(Array.from(readIds(ids, 0, ids.length))).toEqual(Array.from(bytesOf(joined)));
      }),
      { numRuns: 40 },
    );
  });

  it("drops unknown characters, or reports the position of the first one", async () => {
    const plain = "ab\n😀aΩb\nΩ";
    const tokenizer = CharTokenizer.fromText("ab\n😀");
    for (const place of [inMemory, inFile]) {
      const corpus = await read([bytesOf(plain)], 2, place);
      const { ids, dropped } = await tokenize(corpus, tokenizer, "drop", place, silent);
      expect(dropped).toBe(2);
      expect(Array.from(readIds(ids, 0, ids.length))).toEqual(
        Array.from(tokenizer.encode(plain.replaceAll("Ω", ""))),
      );
      const again = await read([bytesOf(plain)], 2, place);
      let message = "";
      expect(() => tokenizer.encode(plain)).toThrow("character 6 of the text, line 2, column 3");
      await tokenize(again, tokenizer, "reject", place, silent).catch((error: Error) => {
        message = error.message;
      });
      expect(() => tokenizer.encode(plain)).toThrow(message);
      expect(message).toContain("character 6 of the text, line 2, column 3");
    }
  });
});

describe("invalid bytes", () => {
  it("report the first invalid UTF-8 sequence, for any chunk size", async () => {
    const sequences: readonly (readonly number[])[] = [
      [0x80],
      [0xe9, 0x20],
      [0xc0, 0xaf],
      [0xe0, 0x9f, 0xbf],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xe2, 0x82, 0x41],
      [0xf0, 0x9f, 0x98, 0x41],
      [0xf0, 0x9f, 0x98],
    ];
    for (const sequence of sequences) {
      const lead = sequence[0].toString(16);
      for (const [mark, place] of [
        ["", 10],
        [MARK, 13],
      ] as const) {
        const bytes = Uint8Array.from([...bytesOf(`${mark}aé€\u{1F600}`), ...sequence]);
        for (const chunkBytes of [1, 2, 3, 5, 64]) {
          const message = await complaint(bytes, chunkBytes);
          expect(message).toContain(`text-0.txt: is not valid UTF-8 at byte ${place} (0x${lead})`);
          expect(message).toContain("convert it to UTF-8");
        }
      }
    }
  });

  it("agrees with TextDecoder on which bytes are valid UTF-8", async () => {
    const byte = fc.oneof(
      fc.constantFrom(0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0xbf),
      fc.nat(255),
    );
    const bytes = fc.array(byte, { minLength: 1, maxLength: 12 }).map((values) => Uint8Array.from(values));
    await fc.assert(
      fc.asyncProperty(bytes, chunk, async (bytes, chunkBytes) => {
        // These begin UTF-16 and gzip, which are converted.
        fc.pre(!/^(fffe|feff|1f8b08)/.test(Buffer.from(bytes).toString("hex")));
        const text = decode(bytes);
        if (text === "") return;
        if (text !== null) {
          expect((await read([bytes], chunkBytes)).facts).toEqual(factsOf(text));
          return;
        }
        const place = Number(/at byte (\d+)/.exec(await complaint(bytes, chunkBytes))?.[1]);
        expect(decode(bytes.subarray(0, place))).not.toBeNull();
        for (let length = 1; length <= 4 && place + length <= bytes.length; length++)
          expect(decode(bytes.subarray(place, place + length))).toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  it("are recognized as empty, or as damaged UTF-16", async () => {
    for (const chunkBytes of [1, 2, 64]) {
      expect(await complaint(new Uint8Array(0), chunkBytes)).toContain("text-0.txt: is empty");
      expect(await complaint(bytesOf(MARK), chunkBytes)).toContain("text-0.txt: is empty");
      expect(await complaint(Uint8Array.of(0xff, 0xfe, 0x61), chunkBytes)).toContain("begins like UTF-16");
    }
  });
});

describe("a text that changes between the two passes", () => {
  it("is rejected, and nothing is cached", async () => {
    mkdirSync(at("cache"), { recursive: true });
    for (const other of ["abcabd", "abc", "abcabcabc", "\xff\xff\xff\xff\xff\xff"]) {
      const corpus = await read([bytesOf("abcabc")]);
      writeFileSync(at("text-0.txt"), other, "latin1");
      const place = {
        inMemoryBytes: 0,
        folder: at(`cache for ${other.length} ${other.charCodeAt(5)}`),
        processes: processes(),
      };
      await expect(tokenize(corpus, CharTokenizer.fromText("abc"), "reject", place, silent)).rejects.toThrow(
        DataError,
      );
    }
    const corpus = await read([bytesOf("abcabc")]);
    writeFileSync(at("text-0.txt"), "abcabd");
    await expect(tokenize(corpus, new ByteTokenizer(), "reject", inFile, silent)).rejects.toThrow(
      "changed while it was being read",
    );
  });
});
