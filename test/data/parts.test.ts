/** The parts of a text: documents drawn from anywhere in it, and a separate text to validate with. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processes } from "../../src/cli/shared/process-lock.ts";
import { type ReadOptions, readTexts } from "../../src/data/corpus.ts";
import { vocabularyOf } from "../../src/data/text-stats.ts";
import { readIds } from "../../src/data/token-source.ts";
import { tokenize } from "../../src/data/tokenized-corpus.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { END_OF_TEXT } from "../../src/text/tokenizer.ts";
import { makeFolder } from "../support/program.ts";

const folder = makeFolder();
const silent = { note: () => {}, status: () => {} };
const inMemory = { inMemoryBytes: 1e6, folder: join(folder, "cache"), processes: processes() };
const inFile = { ...inMemory, inMemoryBytes: 0 };

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** The documents of both parts, from memory or from a file. */
async function partsOf(paths: readonly string[], options: ReadOptions, place = inMemory) {
  const corpus = await readTexts(paths, place, options);
  const special = options.documents === undefined ? {} : ({ endOfText: true } as const);
  const tokenizer = new CharTokenizer(vocabularyOf(corpus.marked), special);
  const { ids, boundary } = await tokenize(corpus, tokenizer, "reject", place, silent);
  const textOf = (start: number, end: number) => tokenizer.decode(readIds(ids, start, end - start));
  return { training: textOf(0, boundary), validation: textOf(boundary, ids.length) };
}

const documentsIn = (text: string) => text.split(END_OF_TEXT).slice(0, -1);

describe("split shuffle", () => {
  it("validates with a tenth of the documents, and each document is in one part", async () => {
    const cases = fc.tuple(fc.integer({ min: 2, max: 64 }), fc.integer({ min: 1, max: 9 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(cases, async ([count, chunkBytes, cached]) => {
        const documents = Array.from({ length: count }, (_, i) => `é${i}`);
        const path = write("lines.txt", documents.join("\n"));
        const options = { documents: "lines", split: "shuffle", chunkBytes } as const;
        const { training, validation } = await partsOf([path], options, cached ? inFile : inMemory);
        const [kept, validated] = [documentsIn(training), documentsIn(validation)];
        expect(validated).toHaveLength(Math.ceil(count / 10));
        expect(new Set([...kept, ...validated])).toEqual(new Set(documents));
        expect(kept.length + validated.length).toBe(count);
        // The order of the text.
        expect(kept).toEqual(documents.filter((each) => kept.includes(each)));
      }),
      { numRuns: 60 },
    );
  });

  it("draws from the whole text, and the same documents again", async () => {
    const path = write("many.txt", Array.from({ length: 1000 }, (_, i) => `${i}`).join("\n"));
    const options = { documents: "lines", split: "shuffle" } as const;
    const { validation } = await partsOf([path], options);
    const places = documentsIn(validation).map(Number);
    for (const quarter of [0, 250, 500, 750])
      expect(places.filter((i) => i >= quarter && i < quarter + 250).length).toBeGreaterThan(12);
    expect((await partsOf([path], options, inFile)).validation).toBe(validation);
    // From the cache file.
    expect((await partsOf([path], options, inFile)).validation).toBe(validation);
    expect((await partsOf([path], { documents: "lines" }, inFile)).validation).not.toBe(validation);
  });

  it("needs two documents", async () => {
    const path = write("one.txt", "only one line\n");
    const reading = readTexts([path], inMemory, { documents: "lines", split: "shuffle" });
    await expect(reading).rejects.toThrow("the text has only one");
  });
});

describe("a separate text to validate with", () => {
  it.each([
    ["plain, in memory", {}, inMemory],
    ["plain, in a file", { chunkBytes: 3 }, inFile],
    ["of lines", { documents: "lines", chunkBytes: 2 }, inMemory],
    ["of files", { documents: "files" }, inFile],
  ] as const)("is the validation part: %s", async (_what, options, place) => {
    const paths = [write("a.txt", "été\nun"), write("b.txt", "deux\n")];
    const validation = [write("c.txt", "trois\nquatre"), write("d.txt", "cinq")];
    const parts = await partsOf(paths, { ...options, validation }, place);
    const shown = (text: string) => text.replaceAll(END_OF_TEXT, "|");
    const expected =
      "documents" in options
        ? options.documents === "lines"
          ? ["été|un|deux|", "trois|quatre|cinq|"]
          : ["été\nun\n|deux\n|", "trois\nquatre\n|cinq\n|"]
        : ["été\nun\ndeux\n", "trois\nquatre\ncinq\n"];
    expect([shown(parts.training), shown(parts.validation)]).toEqual(expected);
  });
});
