/** Documents of a text: the streamed ones equal those of the same text in memory, for any chunk size. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processes } from "../../src/cli/shared/process-lock.ts";
import { DOCUMENTS } from "../../src/config/choices.ts";
import { readTexts } from "../../src/data/corpus.ts";
import { documentsAmong } from "../../src/data/document-search.ts";
import { DOCUMENT_END } from "../../src/data/documents.ts";
import { vocabularyOf } from "../../src/data/text-stats.ts";
import { readIds } from "../../src/data/token-source.ts";
import { tokenize } from "../../src/data/tokenized-corpus.ts";
import { DataError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { documentsOf } from "../support/document-oracle.ts";
import { makeFolder } from "../support/program.ts";
import { inChunks } from "../support/text-oracle.ts";

const folder = makeFolder();
const silent = { note: () => {}, status: () => {} };
const inMemory = { inMemoryBytes: 1e6, folder: join(folder, "cache"), processes: processes() };
const inFile = { ...inMemory, inMemoryBytes: 0 };
const kinds = DOCUMENTS.filter((kind) => kind !== "none");
const END = { endOfText: true } as const;

const character = fc.constantFrom("a", "b", "é", "漢", "🦊", " ", "\n", "\n", "\r", "\r\n", "\r\n", "ÿ");
const file = fc.array(character, { minLength: 1, maxLength: 20 }).map((all) => all.join(""));
const files = fc.array(file, { minLength: 1, maxLength: 3 });
const chunkBytes = fc.integer({ min: 1, max: 7 });

function write(contents: readonly string[]): string[] {
  mkdirSync(folder, { recursive: true });
  return contents.map((text, i) => {
    writeFileSync(join(folder, `${i}.txt`), text);
    return join(folder, `${i}.txt`);
  });
}

/** The documents, each followed by the end token. */
function idsOf(documents: readonly string[], tokenizer: Tokenizer): number[] {
  return documents.flatMap((document) => [...tokenizer.encode(document), tokenizer.endOfText ?? -1]);
}

describe("a text of documents", () => {
  it("has the ids of each document and an end token after it, in memory and in a file", async () => {
    const cases = fc.tuple(files, chunkBytes, fc.constantFrom(...kinds), fc.constantFrom(inMemory, inFile));
    await fc.assert(
      fc.asyncProperty(cases, async ([contents, chunkBytes, kind, place]) => {
        const documents = documentsOf(contents, kind);
        const paths = write(contents);
        const reading = readTexts(paths, place, { chunkBytes, documents: kind });
        if (documents.length === 0) {
          await expect(reading).rejects.toThrow("has no document");
          return;
        }
        const corpus = await reading;
        expect(corpus.marked.documents).toBe(documents.length);
        const vocabulary = vocabularyOf(corpus.marked);
        expect(vocabulary).toBe(
          Array.from(new Set(documents.join("")))
            .sort(byCodePoint)
            .join(""),
        );
        for (const tokenizer of [new CharTokenizer(vocabulary, END), new ByteTokenizer(END)]) {
          const read = await readTexts(paths, place, { chunkBytes, documents: kind });
          const { ids } = await tokenize(read, tokenizer, "reject", place, silent);
          expect(Array.from(readIds(ids, 0, ids.length))).toEqual(idsOf(documents, tokenizer));
        }
        // The text is the same, whatever its documents are.
        const plain = await readTexts(paths, place, { chunkBytes });
        expect(corpus.sha256).toBe(plain.sha256);
        expect(corpus.facts).toEqual(plain.facts);
        expect(plain.marked).toEqual(plain.facts);
      }),
      { numRuns: 150 },
    );
  });

  it("is cached for each kind of document separately", async () => {
    const [path] = write(["ab\ncd\n\nef\n"]);
    const ids = async (documents: (typeof DOCUMENTS)[number]) => {
      const corpus = await readTexts([path], inFile, { documents });
      const tokenizer = new CharTokenizer("\nabcdef", END);
      const { ids, report } = await tokenize(corpus, tokenizer, "reject", inFile, silent);
      return [
        report.documents,
        tokenizer.decode(readIds(ids, 0, ids.length)).replaceAll("<|endoftext|>", "|"),
      ];
    };
    for (const _ of ["written", "found"]) {
      expect(await ids("none")).toEqual([0, "ab\ncd\n\nef\n"]);
      expect(await ids("lines")).toEqual([3, "ab|cd|ef|"]);
      expect(await ids("paragraphs")).toEqual([2, "ab\ncd|ef|"]);
      expect(await ids("files")).toEqual([1, "ab\ncd\n\nef\n|"]);
    }
  });

  it("reports the place of an unknown character in the text, line breaks included", async () => {
    const [path] = write(["ab\n\nax\n"]);
    const corpus = await readTexts([path], inMemory, { documents: "lines" });
    const tokenizing = tokenize(corpus, new CharTokenizer("ab", END), "reject", inMemory, silent);
    await expect(tokenizing).rejects.toThrow('"x" (U+0078) is not among the 2 characters');
    const again = await readTexts([path], inMemory, { documents: "lines" });
    const second = tokenize(again, new CharTokenizer("ab", END), "reject", inMemory, silent);
    await expect(second).rejects.toThrow("character 6 of the text, line 3, column 2");
  });

  it("of bytes that are not UTF-8 is refused, even if they equal the mark", async () => {
    const path = join(folder, "not-utf8.txt");
    writeFileSync(path, Uint8Array.of(0x61, DOCUMENT_END, 0x0a));
    const reading = readTexts([path], inMemory, { documents: "lines" });
    await expect(reading).rejects.toThrow(DataError);
    await expect(readTexts([path], inMemory)).rejects.toThrow("not valid UTF-8 at byte 1");
  });
});

describe("documentsAmong", () => {
  it("finds the wanted texts that are whole documents", async () => {
    const word = fc.array(fc.constantFrom("a", "b", "é"), { maxLength: 4 }).map((all) => all.join(""));
    const cases = fc.tuple(fc.array(word.filter((each) => each !== "")), fc.array(word), chunkBytes);
    await fc.assert(
      fc.asyncProperty(cases, async ([documents, wanted, chunkBytes]) => {
        const bytes = documents.flatMap((text) => [...new TextEncoder().encode(text), DOCUMENT_END]);
        const chunks = (async function* () {
          yield* inChunks(Uint8Array.from(bytes), chunkBytes);
        })();
        const found = await documentsAmong(chunks, new Set(wanted));
        expect(found).toEqual(new Set(wanted.filter((text) => documents.includes(text))));
      }),
    );
  });
});

function byCodePoint(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
}
