/** Runs that a person brings in: damaged, huge, foreign and hostile ones are refused, and the run in training stays. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import { MOST_FILES, MOST_RUN_BYTES } from "../../../src/play/engine/limits.ts";
import type { GivenFile } from "../../../src/play/protocol.ts";
import { type NodeEngine, nodeEngine, questions } from "../../support/play.ts";
import { makeFolder, START_MS, succeed } from "../../support/program.ts";

const folder = makeFolder();
const VERSE = "Rosen, Tulpen, Nelken,\n".repeat(30);
const SIZES = "--layers 1 --heads 2 --d-model 16 --context-length 8 --batch-size 3 --steps 4".split(" ");
const OPEN = { recipe: "small", changes: { dModel: 16, heads: 2, batchSize: 4, steps: 50 } } as const;
const blob = (content: string | Uint8Array) => new Blob([new Uint8Array(Buffer.from(content))]);

/** A run with files changed: null leaves one out. */
type Changes = Readonly<
  Record<string, string | Uint8Array | ((before: Uint8Array) => Uint8Array | string) | null>
>;

let page: NodeEngine;
const bytesOf = new Map<string, Uint8Array>();

function run(changes: Changes = {}, root = "mine"): GivenFile[] {
  const files = new Map<string, string | Uint8Array>(bytesOf);
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) files.delete(path);
    else
      files.set(path, typeof change === "function" ? change(bytesOf.get(path) ?? new Uint8Array()) : change);
  }
  return Array.from(files, ([path, content]) => ({ path: `${root}/${path}`, file: blob(content) }));
}

const edited = (from: string | RegExp, to: string) => (before: Uint8Array) => {
  const text = Buffer.from(before).toString();
  expect(text).toMatch(from);
  return text.replace(from, to);
};
const take = (files: readonly GivenFile[]) => questions.takeFiles(page.engine, { ...OPEN, files });
const text = (content = VERSE): GivenFile => ({ path: "text.txt", file: blob(content) });
const zipped = (entries: Zippable): GivenFile[] => [{ path: "run.zip", file: blob(zipSync(entries)) }];

beforeAll(async () => {
  writeFileSync(join(folder, "text.txt"), VERSE);
  await succeed(folder, "train", "--data", "text.txt", ...SIZES, "--out", "mine");
  for (const path of readdirSync(join(folder, "mine"), { recursive: true, encoding: "utf8" }))
    if (/\.\w+$|best|latest/.test(path)) bytesOf.set(path, readFileSync(join(folder, "mine", path)));
  await succeed(
    folder,
    "train",
    "--model",
    "seq2seq",
    "--steps",
    1,
    "--eval-interval",
    1,
    "--out",
    "reverse",
  );
  rmSync(join(folder, "reverse", "log.jsonl"));
}, START_MS);

beforeEach(async () => {
  page = await nodeEngine();
  await questions.open(page.engine, OPEN);
  await page.engine.stepOnce();
});

async function expectRefused(files: readonly GivenFile[], message: RegExp): Promise<void> {
  const { engine } = page;
  const before = engine.run;
  const made = before?.trainer.stepsDone ?? 0;
  const taken = take(files);
  await expect(taken).rejects.toThrow(message);
  await expect(taken).rejects.toThrow(NopeekError);
  expect(engine.run).toBe(before);
  await engine.stepOnce();
  expect(engine.run?.trainer.stepsDone).toBe(made + 1);
}

const WEIGHTS = "step-000004/model.safetensors";

describe("a whole run", () => {
  test("is loaded from a folder, a zip file of any compression, and without a folder around it", async () => {
    const entries = Object.fromEntries([...bytesOf].map(([path, bytes]) => [`a/b/${path}`, bytes]));
    const bare = Object.fromEntries(bytesOf);
    const bareFiles = Array.from(bytesOf, ([path, bytes]) => ({ path, file: blob(bytes) }));
    for (const files of [run(), zipped(entries), zipped(bare), bareFiles]) {
      const { message, needsText } = await take(files);
      expect([message, needsText]).toEqual([
        expect.stringMatching(
          /^\w+ is whole, at step 4 of 4\. Its text is not here \(text\.txt, 690 characters\)/,
        ),
        true,
      ]);
      expect((await take([text()])).message).toMatch(/^\w+ was checked\. It has made its 4 steps/);
      expect(page.engine.run?.trainer.stepsDone).toBe(4);
      await questions.open(page.engine, OPEN);
      await questions.useTales(page.engine, OPEN);
    }
  });

  test("waits for its text; another one is refused; it can be left", async () => {
    await take(run());
    const other = take([text("Veilchen ".repeat(20))]);
    await expect(other).rejects.toThrow(
      /text\.txt: is not the text of this run \(text\.txt, 690 characters\)/,
    );
    await questions.forgetWaiting(page.engine, null);
    expect((await take([text("Veilchen ".repeat(20))])).message).toBe("A new run trains on text.txt.");
  });

  test("is found among other files, and steps that no pointer names are not read", async () => {
    const other: GivenFile = { path: "mine/step-000003/model.safetensors", file: blob("") };
    Object.defineProperty(other.file, "arrayBuffer", { value: () => expect.unreachable("it was read") });
    const { message } = await take([
      { path: "picture.png", file: blob(Uint8Array.of(1, 0)) },
      ...run(),
      other,
      text(),
    ]);
    expect(message).toContain("mine was checked");
  });
});

describe("refused:", () => {
  test.each<[string, Changes, RegExp]>([
    [
      "a flipped bit in the weights",
      { [WEIGHTS]: (b) => b.with(b.length - 1, b[b.length - 1] ^ 1) },
      /model\.safetensors: is damaged: its SHA-256/,
    ],
    [
      "a flipped bit in the optimizer",
      { "step-000004/optimizer.safetensors": (b) => b.with(200, b[200] ^ 1) },
      /optimizer\.safetensors: is damaged/,
    ],
    ["weights cut short", { [WEIGHTS]: (b) => b.subarray(0, 100) }, /model\.safetensors/],
    ["missing weights", { [WEIGHTS]: null }, /model\.safetensors: it is not there/],
    ["a missing step", { latest: "step-000009" }, /has no step step-000009/],
    ["a pointer that climbs", { latest: "../../etc/passwd" }, /should hold the name of a step directory/],
    ["a config that is no JSON", { "config.json": "{" }, /config\.json: is damaged: it is not JSON/],
    [
      "another version",
      { "config.json": edited(/"version": \d+/, '"version": 99') },
      /has format version 99; this nopeek reads version/,
    ],
    ["a foreign config", { "config.json": "{}" }, /config\.json: should begin with/],
    [
      "sizes that were edited",
      { "config.json": edited('"dModel": 16', '"dModel": 64') },
      /describes a model of .* parameters, and its checkpoint holds/,
    ],
    ["a setting out of range", { "config.json": edited('"layers": 1', '"layers": -1') }, /layers/],
    [
      "documents",
      { "config.json": edited('"documents": "none"', '"documents": "lines"') },
      /trains on documents/,
    ],
  ])("%s", async (_, changes, message) => {
    await expectRefused([...run(changes), text()], message);
  });

  test("a model of another kind", async () => {
    const files = readdirSync(join(folder, "reverse"), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.\w+$|best|latest/.test(path))
      .map((path) => ({ path: `reverse/${path}`, file: blob(readFileSync(join(folder, "reverse", path))) }));
    await expectRefused(files, /reverse: is a model of kind seq2seq, and this page trains GPTs/);
  });

  test("several runs, several texts, and folders of more files than a run has", async () => {
    await expectRefused([...run({}, "all/a"), ...run({}, "all/b")], /2 runs: a, b; choose one of them/);
    await expectRefused([text(), { ...text(), path: "b.txt" }], /^2 files, and no run/);
    const file = blob("");
    const many = Array.from({ length: MOST_FILES + 1 }, (_, i) => ({ path: `mine/${i}`, file }));
    await expectRefused([...run(), ...many], /holds more than 2,000 files/);
  });

  test("a run that is too large, before it is read", async () => {
    const files = run();
    for (const { path, file } of files) {
      if (!path.endsWith("model.safetensors")) continue;
      Object.defineProperty(file, "size", { value: MOST_RUN_BYTES + 1 });
      Object.defineProperty(file, "arrayBuffer", { value: () => expect.unreachable("it was read") });
    }
    await expectRefused(files, /latest and best step have 256 MB, and a run here may have at most 256 MB/);
  });
});

describe("refused zip files:", () => {
  const config = () => bytesOf.get("config.json") ?? new Uint8Array();

  test.each(["../config.json", "a/../../config.json", "/config.json", "C:\\config.json", "..\\config.json"])(
    "a path that leads out: %s",
    async (path) => expectRefused(zipped({ [path]: config() }), /holds a file that leads out of it/),
  );

  test("a damaged one, one cut short, and one that is no zip file", async () => {
    const whole = zipSync(Object.fromEntries(bytesOf));
    await expectRefused(
      [{ path: "run.zip", file: blob(whole.subarray(0, whole.length / 2)) }],
      /damaged zip file/,
    );
    await expectRefused([{ path: "run.zip", file: blob("PK, but no zip file") }], /damaged zip file/);
    const flipped = whole.slice();
    flipped.fill(0xff, 60, 400);
    await expectRefused([{ path: "run.zip", file: blob(flipped) }], /damaged|not JSON|SHA-256/);
  });

  test("bombs, whether they state their size or not", async () => {
    const bomb = zipSync({ "config.json": new Uint8Array(MOST_RUN_BYTES + 1) });
    expect(bomb.length).toBeLessThan(400_000);
    await expectRefused([{ path: "run.zip", file: blob(bomb) }], /would unpack to more than 256 MB/);
    // The same, with a central directory that states 100 bytes.
    const lying = bomb.slice();
    const view = new DataView(lying.buffer);
    const directory = view.getUint32(lying.length - 6, true);
    view.setUint32(directory + 24, 100, true);
    await expectRefused([{ path: "run.zip", file: blob(lying) }], /damaged|not JSON/);
    const many = Object.fromEntries(
      Array.from({ length: MOST_FILES + 1 }, (_, i) => [`${i}`, new Uint8Array()]),
    );
    await expectRefused(zipped(many), /holds more than 2,000 files/);
  }, 180_000);
});
