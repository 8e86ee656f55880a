/** Folders as people have them: other files beside the text, packed files, other encodings. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { readCorpus, readTexts } from "../../src/data/corpus.ts";
import { reportCorpus } from "../../src/data/corpus-report.ts";
import { vocabularyOf } from "../../src/data/text-stats.ts";
import { IN_MEMORY_ONLY } from "../../src/data/token-cache.ts";
import { DataError } from "../../src/errors.ts";
import { makeFolder } from "../support/program.ts";
import { factsOf } from "../support/text-oracle.ts";

const folder = makeFolder();
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  mkdirSync(at("notes", "2024"), { recursive: true });
  writeFileSync(at("notes", "a.md"), "one\n");
  writeFileSync(at("notes", "2024", "b.md.gz"), gzipSync("two\n"));
  writeFileSync(at("notes", "2024", "c.txt"), Buffer.from("\uFEFFthree\n", "utf16le"));
  writeFileSync(at("notes", "2024", "d.md"), "four");
  writeFileSync(at("notes", "photo.png"), Buffer.of(0x89, 0x50, 0, 0));
  writeFileSync(at("notes", "empty.md"), "");
  writeFileSync(at("notes", "latin-1.txt"), Buffer.from("\xfcber", "latin1"));
  writeFileSync(at("notes", "broken.gz"), Buffer.of(0x1f, 0x8b, 8, 1, 2, 3, 4, 5, 6, 7, 8));
});

async function textOf(paths: readonly string[], include?: readonly string[]) {
  const corpus = await readTexts(paths, IN_MEMORY_ONLY, { include });
  let text = "";
  for await (const chunk of corpus.bytes()) text += Buffer.from(chunk).toString();
  return { text, corpus };
}

describe("a folder", () => {
  it("is read without its files that are not text, which the report names", async () => {
    const { text, corpus } = await textOf([at("notes")]);
    expect(text).toBe("two\nthree\nfour\none\n");
    expect(corpus.skipped.map(({ path, why }) => [path.slice(at("notes").length + 1), why])).toEqual([
      ["broken.gz", "unreadable"],
      ["empty.md", "empty"],
      ["latin-1.txt", "not in UTF-8"],
      ["photo.png", "binary"],
    ]);
    const { warnings } = reportCorpus(corpus.facts, 0, corpus.skipped);
    expect(warnings).toContain(`skipped 1 file in folders, binary: ${at("notes", "photo.png")}`);
    expect(warnings).toHaveLength(4);
  });

  it("is read as far as it matches the patterns", async () => {
    expect((await textOf([at("notes")], ["*.md"])).text).toBe("four\none\n");
    expect((await textOf([at("notes")], ["2024/*", "a.*"])).text).toBe("two\nthree\nfour\none\n");
    await expect(textOf([at("notes")], ["*.rst"])).rejects.toThrow("without files that match *.rst");
  });

  it("without any text is an error, and so is a file that is named itself", async () => {
    await expect(textOf([at("notes")], ["*.png", "empty.*"])).rejects.toThrow("all 2 files are skipped");
    for (const name of ["photo.png", "empty.md", "latin-1.txt", "broken.gz"])
      await expect(textOf([at("notes"), at("notes", name)]), name).rejects.toThrow(DataError);
  });
});

describe("letters in two forms", () => {
  const warned = (text: string) => reportCorpus(factsOf(text)).warnings.some((line) => line.includes("NFC"));

  it("are reported if a text has both", () => {
    expect(warned("café cafe\u0301")).toBe(true);
    expect(warned("が か\u3099")).toBe(true);
    expect(warned("café cafe")).toBe(false);
    expect(warned("cafe\u0301")).toBe(false);
    expect(warned("é a\u0301")).toBe(false);
  });
});

it("a vocabulary leaves out rare characters", () => {
  const facts = factsOf("aaabbc🦊🦊");
  expect(vocabularyOf(facts)).toBe("abc🦊");
  expect(vocabularyOf(facts, 2)).toBe("ab🦊");
  expect(vocabularyOf(facts, 3)).toBe("a");
});

it("a packed text has the SHA-256 of the text", async () => {
  writeFileSync(at("plain.txt"), "the fox\n");
  writeFileSync(at("packed.txt"), gzipSync("the fox\n"));
  const [plain, packed] = await Promise.all(["plain.txt", "packed.txt"].map((name) => readCorpus(at(name))));
  expect(packed.sha256).toBe(plain.sha256);
});
