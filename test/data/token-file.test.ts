import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { splitCorpus } from "../../src/data/split.ts";
import { TokenFile } from "../../src/data/token-file.ts";
import { readIds } from "../../src/data/token-source.ts";
import { disjointWindows, WindowLoader } from "../../src/data/window-loader.ts";
import { writeTokens } from "../../src/data/write-tokens.ts";
import { DataError, TokenError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { inChunks } from "../support/text-oracle.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-tokens-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** A text with this many distinct characters, each of them twice. */
const textOf = (count: number) => {
  const points = Array.from({ length: count }, (_, i) => (i < 0xd000 ? i + 33 : i + 0x10000));
  return points
    .map((point) => String.fromCodePoint(point))
    .join("")
    .repeat(2);
};
const bytesOf = (text: string) => new TextEncoder().encode(text);

async function write(name: string, text: string, tokenizer = CharTokenizer.fromText(text)) {
  await writeTokens(at(name), tokenizer, inChunks(bytesOf(text), 4099), { about: { name } });
  return { tokenizer, file: TokenFile.open(at(name)) };
}

describe("TokenFile", () => {
  it.each([
    [256, 1],
    [257, 2],
    [65_536, 2],
    [65_537, 4],
  ])("round-trips the ids of a vocabulary of %d, with %d bytes per id", async (distinct, width) => {
    const text = textOf(distinct);
    const { file, tokenizer } = await write("wide", text);
    const ids = tokenizer.encode(text);
    expect(file.length).toBe(2 * distinct);
    expect(readIds(file, 0, file.length)).toEqual(ids);
    const header = readFileSync(at("wide")).indexOf("\n") + 1;
    expect(readFileSync(at("wide")).length).toBe(header + 2 * distinct * width);
    expect(file.about).toEqual({ name: "wide" });
    file.close();
  });

  it("yields the same windows as ids in memory, for the whole file and for parts", async () => {
    const text = textOf(331);
    const { file, tokenizer } = await write("windows", text);
    const ids = tokenizer.encode(text);
    const [fromFile, inMemory] = [splitCorpus(file), splitCorpus(ids)];
    expect(fromFile.boundary).toBe(inMemory.boundary);
    const size = { contextLength: 7, batchSize: 5 };
    for (const part of ["train", "validation"] as const) {
      const [a, b] = [fromFile[part], inMemory[part]].map(
        (each) => new WindowLoader(each, { ...size, seed: 3 }),
      );
      for (let step = 0; step < 20; step++) expect(a.batch(step, 1)).toEqual(b.batch(step, 1));
    }
    const windows = [file, ids].map((each) => Array.from(disjointWindows(each, 30, 331, size)));
    expect(windows[0]).toEqual(windows[1]);
    const part = file.subarray(100, 200).subarray(10, 20);
    expect(readIds(part, 2, 3)).toEqual(ids.slice(112, 115));
    expect(() => readIds(part, 8, 3)).toThrow(DataError);
    expect(() => readIds(part, -1, 1)).toThrow(DataError);
    file.close();
  });

  it("rejects a file that is truncated, too long, of another version, or not a token file", async () => {
    const { file } = await write("damaged", textOf(97));
    file.close();
    const whole = readFileSync(at("damaged"));
    const refused = (words: string) => {
      expect(() => TokenFile.open(at("damaged"))).toThrow(DataError);
      expect(() => TokenFile.open(at("damaged"))).toThrow(words);
    };
    truncateSync(at("damaged"), whole.length - 1);
    refused("is damaged: it has");
    writeFileSync(at("damaged"), Buffer.concat([whole, Buffer.from("x")]));
    refused("is damaged: it has");
    writeFileSync(at("damaged"), whole.toString("latin1").replace('"version":2', '"version":3'), "latin1");
    refused("is not a token file");
    for (const other of ["", "{}\n", "some text", "x".repeat(200_000)]) {
      writeFileSync(at("damaged"), other);
      refused("is not a token file");
    }
    rmSync(at("damaged"));
    refused("it is not there");
  });

  it("detects a file that is truncated or gets an invalid id while in use", async () => {
    const { file } = await write("spoilt", textOf(97));
    const whole = readFileSync(at("spoilt"));
    whole[whole.length - 1] = 97;
    writeFileSync(at("spoilt"), whole);
    expect(() => readIds(file, 190, 4)).toThrow("token 193 has id 97, but ids must be below 97");
    truncateSync(at("spoilt"), whole.length - 3);
    expect(() => readIds(file, 190, 4)).toThrow("was truncated while in use");
    // The ids before it can still be read.
    expect(Array.from(readIds(file, 4, 2))).toEqual([4, 5]);
    file.close();
  });

  it("is written completely or not at all, and a failure keeps the existing file", async () => {
    await write("kept", "abc");
    const before = readFileSync(at("kept"));
    const tokenizer = CharTokenizer.fromText("abc");
    const texts: readonly (readonly [Iterable<Uint8Array>, typeof DataError | typeof TokenError])[] = [
      [[bytesOf("abcd")], TokenError],
      [[bytesOf("ab"), Uint8Array.of(0xff, 0x61)], DataError],
    ];
    for (const [text, kind] of texts) {
      await expect(writeTokens(at("kept"), tokenizer, text)).rejects.toThrow(kind);
      expect(readFileSync(at("kept")).equals(before)).toBe(true);
      expect(existsSync(at("kept.partial"))).toBe(false);
    }
    await writeTokens(at("kept"), tokenizer, [bytesOf("abcd")], { unknown: "drop" });
    expect(TokenFile.open(at("kept")).length).toBe(3);
    mkdirSync(at("folder"));
    await expect(writeTokens(at("folder"), new ByteTokenizer(), [bytesOf("a")])).rejects.toThrow(
      `cannot write ${at("folder")}: `,
    );
    expect(existsSync(at("folder.partial"))).toBe(false);
  });
});
