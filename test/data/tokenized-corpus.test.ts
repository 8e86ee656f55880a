/** The token cache is used only if it holds the tokens of the text, unchanged. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readTexts } from "../../src/data/corpus.ts";
import type { CachePlace } from "../../src/data/token-cache.ts";
import { readHeader } from "../../src/data/token-file-header.ts";
import { readIds } from "../../src/data/token-source.ts";
import { findTokenized, tokenize } from "../../src/data/tokenized-corpus.ts";
import { DataError } from "../../src/errors.ts";
import { openRegular, using } from "../../src/run/regular-file.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-tokenized-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const TEXT = "the quick brown fox jumps over the lazy dog\n".repeat(50);
const text = join(temporary, "text.txt");
writeFileSync(text, TEXT);
const folder = join(temporary, "cache");
const place: CachePlace = {
  inMemoryBytes: 0,
  folder,
  processes: { self: { pid: 1, started: null, machine: "here", boot: null }, isAlive: () => null },
};
const tokenizer = CharTokenizer.fromText(TEXT);

async function tokenized() {
  const notes: string[] = [];
  const progress = { note: (line: string) => notes.push(line), status: () => {} };
  const { ids } = await tokenize(await readTexts([text], place), tokenizer, "reject", place, progress);
  return { ids: Array.from(readIds(ids, 0, ids.length)), notes: notes.join("\n") };
}

/** The cache file. There is only one. */
const cache = () => join(folder, readdirSync(folder)[0]);
const headerLength = (bytes: Buffer) => bytes.indexOf("\n") + 1;

/** Writes a cache whose header agrees with its size: its first `tokens` ids. */
function cut(whole: Buffer, tokens: number): Buffer {
  const length = headerLength(whole);
  const header = whole
    .toString("latin1", 0, length - 1)
    .trimEnd()
    .replace(`"tokens":${TEXT.length}`, `"tokens":${tokens}`);
  return Buffer.concat([
    Buffer.from(`${header.padEnd(length - 1)}\n`),
    whole.subarray(length, length + tokens),
  ]);
}

describe("a cache that lies", () => {
  const lies: readonly (readonly [string, (whole: Buffer) => Buffer, string])[] = [
    [
      "an id that became another valid one",
      (whole) => {
        const bytes = Buffer.from(whole);
        const at = bytes.length - 7;
        bytes[at] = (bytes[at] + 1) % tokenizer.vocabSize;
        return bytes;
      },
      "the SHA-256 of its ids should be",
    ],
    ["fewer tokens than the text has", (whole) => cut(whole, 1000), "contains other tokens"],
    ["no token at all", (whole) => cut(whole, 0), "contains other tokens"],
    ["bytes missing", (whole) => whole.subarray(0, -1), "is damaged: it has"],
    ["a nested header", () => Buffer.from(`${"[".repeat(1e6)}\n`), "is not a token file"],
  ];

  it.each(lies)("of %s is rebuilt", async (_what, lie, message) => {
    const expected = Array.from(tokenizer.encode(TEXT));
    rmSync(folder, { recursive: true, force: true });
    expect((await tokenized()).notes).toContain("tokenizing");
    const whole = readFileSync(cache());
    const again = await tokenized();
    expect(again).toEqual({ ids: expected, notes: "" });

    writeFileSync(cache(), lie(whole));
    const rebuilt = await tokenized();
    expect(rebuilt.ids).toEqual(expected);
    expect(rebuilt.notes).toContain(message);
    expect(rebuilt.notes).toContain("rebuilding it");
    expect(readFileSync(cache()).equals(whole)).toBe(true);
  });

  it("is not used to resume a run either", async () => {
    rmSync(folder, { recursive: true, force: true });
    await tokenized();
    const { sha256 } = await readTexts([text], place);
    const find = (characters: number) => {
      const record = { path: text, sha256, characters };
      const progress = { note: () => {}, status: () => {} };
      return findTokenized(
        record,
        Number.MAX_SAFE_INTEGER,
        tokenizer,
        { unknown: "reject", documents: "none", split: "tail" },
        place,
        progress,
      );
    };
    expect(find(TEXT.length)?.ids.length).toBe(TEXT.length);
    expect(find(TEXT.length + 1)).toBeNull();
    const whole = readFileSync(cache());
    writeFileSync(cache(), cut(whole, 1000));
    expect(find(TEXT.length)).toBeNull();
    const flipped = Buffer.from(whole);
    flipped[headerLength(whole)] ^= 1;
    writeFileSync(cache(), flipped);
    expect(find(TEXT.length)).toBeNull();
  });
});

it("explains a folder in place of the cache file", async () => {
  rmSync(folder, { recursive: true, force: true });
  await tokenized();
  const path = cache();
  rmSync(path);
  mkdirSync(path);
  await expect(tokenized()).rejects.toThrow(DataError);
  await expect(tokenized()).rejects.toThrow(`cannot write ${path}: it is a folder, not a file`);
  expect(readdirSync(folder)).toHaveLength(1);
});

it("records the hash of the ids", async () => {
  rmSync(folder, { recursive: true, force: true });
  await tokenized();
  const { header } = using(openRegular(cache(), "refuse"), ({ descriptor }) =>
    readHeader(descriptor, cache()),
  );
  const bytes = readFileSync(cache());
  const { createHash } = await import("node:crypto");
  expect(header.sha256).toBe(
    createHash("sha256")
      .update(bytes.subarray(headerLength(bytes)))
      .digest("hex"),
  );
});
