/** Bad input and the messages for it. No existing file may change. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  makeText,
  nopeek,
  START_MS,
  succeed,
  TRAIN,
  WORDS,
} from "../support/program.ts";
import { fingerprint } from "../support/run-files.ts";
import { BAD_CONFIGS, type Case, TEXT } from "./bad-input/case.ts";
import { CONFIGS, FLAGS, SETTINGS, TEXTS } from "./bad-input/settings.ts";
import { COMMANDS, RUNS, SAMPLING } from "./bad-input/using.ts";

const { folder, at } = makeFolderWithText(TEXT);
let before: string;

beforeAll(async () => {
  const flags = ["--steps", 4, "--checkpoint-interval", 2, "--eval-batches", 1];
  await succeed(folder, ...TRAIN, "--out", "run", ...flags);
  writeFileSync(at("empty.txt"), "");
  writeFileSync(at("short.txt"), "the fox");
  writeFileSync(at("greek.txt"), "the fox\nsees Ω".repeat(20));
  writeFileSync(at("latin-1.txt"), Buffer.from("gr\xfc\xdfe aus K\xf6ln", "latin1"));
  writeFileSync(at("other.txt"), makeText([...WORDS].reverse(), 300));
  writeFileSync(at("utf-16.txt"), Buffer.concat([Buffer.from("\ufeffthe fox", "utf16le"), Buffer.of(0)]));
  mkdirSync(at("pictures"));
  writeFileSync(at("pictures", "one.png"), Buffer.of(0x89, 0x50, 0, 0));
  writeFileSync(at("damaged.txt.gz"), Buffer.of(0x1f, 0x8b, 8, 0, 1, 2, 3));
  writeFileSync(at("cut-off.txt"), Buffer.from(`${TEXT}é`).subarray(0, -1));
  mkdirSync(at("hollow"));
  symlinkSync("nowhere", at("dangling.txt"));
  for (const [name, text] of Object.entries(BAD_CONFIGS)) writeFileSync(at(name), text);
  mkdirSync(at("other-files"));
  writeFileSync(at("other-files", "thesis.tex"), "years of work");
  before = fingerprint(folder);
}, START_MS);

const CASES: readonly Case[] = [
  ...TEXTS,
  ...CONFIGS,
  ...SETTINGS,
  ...FLAGS,
  ...SAMPLING,
  ...RUNS,
  ...COMMANDS,
];

describe("rejected with a message, and nothing is lost", () => {
  // Files that one case creates by mistake must not affect the next.
  afterEach(() => rmSync(at("new"), { recursive: true, force: true }));

  it.each(CASES)("%s", async (_what, words, code, told) => {
    expectComplaint(await nopeekHere(folder, ...words), code, ...told);
    expect(fingerprint(folder)).toBe(before);
  });

  it("in a separate process too", async () => {
    const some = CASES.filter((_, i) => i % 23 === 0);
    for (const [, words, code, told] of some) expectComplaint(await nopeek(folder, ...words), code, ...told);
    expect(fingerprint(folder)).toBe(before);
  });

  it("in more than a hundred ways", () => {
    expect(CASES.length).toBeGreaterThan(100);
    expect(new Set(CASES.map(([what]) => what)).size).toBe(CASES.length);
  });
});
