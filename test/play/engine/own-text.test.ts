/** A person's own text: it is read as the command line reads it, and one that cannot be trained on is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { recordOf } from "../../../src/cli/shared/read-corpus.ts";
import { readCorpus } from "../../../src/data/corpus.ts";
import { DataError } from "../../../src/errors.ts";
import type { Engine } from "../../../src/play/engine/engine.ts";
import { MOST_TEXT_BYTES } from "../../../src/play/engine/limits.ts";
import { readOwnText, textOf } from "../../../src/play/engine/text.ts";
import type { RunState } from "../../../src/play/protocol.ts";
import { nodeEngine, questions, stepsOf, untilStopped } from "../../support/play.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-own-text-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = { recipe: "small", changes: { dModel: 16, heads: 2, batchSize: 4, steps: 20 } } as const;
const VERSE = "Der Mond ist aufgegangen,\r\ndie goldnen Sternlein prangen ✨\n".repeat(20);

function take(engine: Engine, path: string, file: Blob) {
  return questions.takeFiles(engine, { ...SMALL, files: [{ path, file }] });
}

function stateOf(engine: Engine): RunState {
  if (engine.run === null) throw new Error("no run is open");
  return engine.state(engine.run);
}

describe("a text has the record of the command line", () => {
  test.each([
    ["plain", "Rosen, Tulpen, Nelken\n".repeat(9)],
    ["line ends of Windows, and characters of two to four bytes", VERSE],
    ["a byte order mark", `\ufeff${VERSE}`],
    ["no line end", "a,b,c"],
  ])("%s", async (_, content) => {
    const path = join(folder, "text.txt");
    writeFileSync(path, content);
    const text = textOf(path, readFileSync(path));
    const corpus = await readCorpus(path);
    expect(text.record).toEqual(recordOf(corpus, text.tokenizer, null));
    expect(text.tokenizer.decode(text.ids)).toBe(content.replace("\ufeff", ""));
  });

  test("and those of the tales and of standard input are not mistaken for a file with their name", async () => {
    for (const name of ["-", "the embedded tales"]) {
      const { record, isOwn } = await readOwnText(name, new Blob(["some text"]));
      expect([record.path, isOwn]).toEqual([`./${name}`, true]);
    }
  });
});

test("a run trains on an own text, and later runs too, until the tales are chosen again", async () => {
  const page = await nodeEngine();
  const { engine } = page;
  const file = new Blob([VERSE]);
  const taken = await take(engine, "mond.txt", file);
  expect(taken).toEqual({ message: "A new run trains on mond.txt.", needsText: false });
  const run = stateOf(engine);
  expect(run).toMatchObject({ text: "mond.txt", isOwnText: true, vocabulary: new Set(VERSE).size });
  expect(run).toMatchObject({ floorNats: null, contextLength: 32, characters: [...VERSE].length });
  engine.start();
  await untilStopped(page);
  expect(stepsOf(page)).toHaveLength(20);
  expect((await questions.open(engine, SMALL)).text).toBe("mond.txt");
  const back = await questions.useTales(engine, SMALL);
  expect(back).toMatchObject({ text: "the embedded tales", isOwnText: false, floorNats: 0.514561 });
  expect((await questions.open(engine, SMALL)).isOwnText).toBe(false);
});

test("the context shrinks to a short text, and the shortest can be trained on", async () => {
  const { engine } = await nodeEngine();
  const use = async (content: string) => {
    await take(engine, "short", new Blob([content]));
    return stateOf(engine);
  };
  expect((await use("abcdefghij".repeat(4))).contextLength).toBe(3);
  const run = await use("hello world");
  expect([run.contextLength, run.vocabulary]).toEqual([1, 8]);
  await engine.stepOnce();
  expect(engine.run?.trainer.stepsDone).toBe(1);
});

describe("refused, while the run in training continues:", () => {
  test.each<[string, Blob, RegExp]>([
    ["an empty text", new Blob([]), /^mine\.txt: is empty/],
    ["one character", new Blob(["a"]), /^mine\.txt: has 1 character, and at least 11 are needed/],
    ["ten characters", new Blob(["0123456789"]), /has 10 characters/],
    ["a binary file", new Blob([Uint8Array.of(137, 80, 78, 71, 0, 1)]), /bytes of 0: it is a binary file/],
    ["Latin-1", new Blob([Uint8Array.of(0x4d, 0xfc, 0x6c, 0x6c)]), /is not UTF-8 text: byte 1 begins no/],
    [
      "a text cut inside a character",
      new Blob([new TextEncoder().encode("ab€").slice(0, 4)]),
      /byte 2 begins/,
    ],
  ])("%s", async (_, file, message) => {
    const { engine } = await nodeEngine();
    await questions.open(engine, SMALL);
    await engine.stepOnce();
    const used = take(engine, "mine.txt", file);
    await expect(used).rejects.toThrow(message);
    await expect(used).rejects.toThrow(DataError);
    await engine.stepOnce();
    expect(engine.run?.trainer.stepsDone).toBe(2);
    expect((await questions.open(engine, SMALL)).isOwnText).toBe(false);
  });

  test("one of 50 MB, before it is read", async () => {
    const file = new Blob(["x"]);
    Object.defineProperty(file, "size", { value: 50_000_000 });
    Object.defineProperty(file, "arrayBuffer", { value: () => expect.unreachable("it was read") });
    await expect(readOwnText("big.txt", file)).rejects.toThrow(
      /50 MB, and a text here may have at most 20 MB/,
    );
    expect(MOST_TEXT_BYTES).toBe(20e6);
  });

  test("and names cannot act on what shows the message", async () => {
    const name = "\u202etxt.exe\u001b[2J<img src=x>";
    await expect(readOwnText(name, new Blob([]))).rejects.toThrow(
      "\ufffdtxt.exe\ufffd[2J<img src=x>: is empty",
    );
  });
});
