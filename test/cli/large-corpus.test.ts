/** Texts whose tokens are cached in a file: the same bits as in memory, with constant memory. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { CAN_MEASURE, measureProgram, talesText, writeLargeText } from "../../scripts/prove/large-text.ts";
import { nopeekHere, succeedHere } from "../support/in-process.ts";
import {
  expectComplaint,
  MAIN,
  makeFolderWithText,
  makeText,
  start,
  TRAIN,
  WORDS,
} from "../support/program.ts";
import { logOf } from "../support/run-files.ts";

const { folder, text: TEXT, at } = makeFolderWithText(`${makeText(WORDS, 400)}é€😀\n`.repeat(2));
const short = ["--steps", 6, "--eval-interval", 2, "--checkpoint-interval", 3, "--eval-batches", 2];
const train = (out: string, ...more: (string | number)[]) => [...TRAIN, "--out", out, ...short, ...more];
const FILE = ["--in-memory", 0];
/** A long run that saves at every third step waits for the disk most of the time. */
const RARELY = ["--eval-interval", 100, "--checkpoint-interval", 100];
const weights = (run: string, step = "step-000006") => readFileSync(at(run, step, "model.safetensors"));
const caches = (place = ".nopeek-cache") => readdirSync(at(place)).sort();
/** Losses of steps and evaluations in the log. */
const losses = (run: string) => logOf(at(run)).map(({ kind, lossNats, tokens }) => [kind, lossNats, tokens]);

describe("a text whose tokens are in a file", () => {
  it.each([
    ["gpt", "char"],
    ["gpt", "byte"],
    ["encoder", "char"],
  ])("trains to the same bits as one in memory: %s of %s", async (model, tokenizer) => {
    const kind = ["--model", model, "--tokenizer", tokenizer];
    await succeedHere(folder, ...train(`${model}-${tokenizer}-a`, ...kind));
    const { stderr } = await succeedHere(folder, ...train(`${model}-${tokenizer}-b`, ...kind, ...FILE));
    const [a, b] = [`${model}-${tokenizer}-a`, `${model}-${tokenizer}-b`];
    expect(stderr).toMatch(/tokenizing {2}.* of text into \.nopeek-cache|tokenized before/);
    expect(weights(a).equals(weights(b))).toBe(true);
    expect(losses(a)).toEqual(losses(b));
    expect(readFileSync(at(a, "config.json"), "utf8")).toBe(readFileSync(at(b, "config.json"), "utf8"));
    const measure = ["eval", "--model", a, "--data", "text.txt", "--json"];
    const [memory, file] = [
      await succeedHere(folder, ...measure),
      await succeedHere(folder, ...measure, ...FILE),
    ];
    expect(file.stdout).toBe(memory.stdout);
  });

  it("is tokenized once for all runs, and again when its file is damaged", async () => {
    const place = ["--cache", "own", ...FILE];
    expect((await succeedHere(folder, ...train("once-1", ...place))).stderr).toContain("tokenizing");
    const second = await succeedHere(folder, ...train("once-2", ...place));
    expect(second.stderr).toContain("tokenized before");
    expect(second.stderr).not.toContain("tokenizing");
    const [name, ...others] = caches("own");
    expect(others).toEqual([]);
    truncateSync(at("own", name), 900);
    const third = await succeedHere(folder, ...train("once-3", ...place));
    expect(third.stderr).toContain("is damaged: it has 900 bytes");
    expect(third.stderr).toContain("rebuilding it");
    expect(weights("once-3").equals(weights("once-1"))).toBe(true);
  });

  it("can come from standard input, even if it does not fit into memory", async () => {
    const words = [...train("piped", "--cache", "piped-cache", ...FILE)].map((word) =>
      word === "text.txt" ? "-" : String(word),
    );
    const { status } = spawnSync(process.execPath, [MAIN, ...words], { cwd: folder, input: TEXT });
    expect(status).toBe(0);
    await succeedHere(folder, ...train("unpiped"));
    expect(weights("piped").equals(weights("unpiped"))).toBe(true);
    // No copy of the text is left, and a resume does not need it.
    expect(caches("piped-cache")).toHaveLength(1);
    await succeedHere(folder, "train", "--resume", "--out", "piped", "--steps", 8, "--cache", "piped-cache");
  });

  it("may change or disappear after the start: the run resumes on its original text, and says so", async () => {
    writeFileSync(at("passing.txt"), TEXT);
    const words = (out: string) =>
      train(out, ...FILE, "--steps", 300, ...RARELY, "--json").map((word) =>
        word === "text.txt" ? "passing.txt" : word,
      );
    await succeedHere(folder, ...words("whole"));
    const program = start(folder, ...words("passing"));
    await program.shows(/"kind":"step","step":3,/, "stdout");
    appendFileSync(at("passing.txt"), "more");
    program.process.kill("SIGINT");
    await program.outcome;
    const resumed = await succeedHere(folder, "train", "--resume", "--out", "passing", "--steps", 300);
    expect(resumed.stderr).toContain("passing.txt: changed or deleted since the run started");
    expect(weights("passing", "step-000300").equals(weights("whole", "step-000300"))).toBe(true);
    // If --data names it again, it is read and must be the same, with or without cached tokens.
    const resume = ["train", "--resume", "--out", "passing", "--steps", 302];
    expectComplaint(await nopeekHere(folder, ...resume, "--data", "passing.txt"), 2, "its SHA-256 differs");
    rmSync(at(".nopeek-cache"), { recursive: true });
    expectComplaint(await nopeekHere(folder, ...resume), 2, "its SHA-256 differs");
    writeFileSync(at("passing.txt"), TEXT);
    await succeedHere(folder, ...resume);
  });
});

describe("an evaluation of more than --measure-tokens", () => {
  it("uses windows spread over the validation split, and says so", async () => {
    const { stderr } = await succeedHere(folder, ...train("spread", "--measure-tokens", 100));
    expect(stderr).toMatch(/\(91 of [\d,]+ validation tokens, in fixed windows spread over them/);
    const measure = ["eval", "--model", "spread", "--data", "text.txt", "--measure-tokens", 100];
    const { stdout } = await succeedHere(folder, ...measure, "--json");
    const last = losses("spread").findLast(([kind]) => kind === "evaluation");
    expect(JSON.parse(stdout)).toMatchObject({
      method: "spread windows",
      lossNats: last?.[1],
      tokens: 91,
      chars: 91,
    });
  });
});

describe("a cache that cannot be written", () => {
  it("is reported with a remedy, and leaves nothing behind", async (test) => {
    writeFileSync(at("in the way"), "");
    const blocked = await nopeekHere(folder, ...train("no-1", ...FILE, "--cache", "in the way/cache"));
    expectComplaint(blocked, 1, "cannot write in the way/cache", "--cache names another");
    mkdirSync(at("disk"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "none", at("disk")], { stdio: "ignore" });
    } catch {
      return test.skip("no file system can be mounted");
    }
    try {
      const full = await nopeekHere(folder, ...train("no-2", ...FILE, "--cache", "disk"));
      expect(full.code).toBe(1);
      expect(full.stderr).toContain("the disk is full; free some space");
      expect(full.stderr).toContain("--cache names another folder");
      expect(full.stderr).not.toMatch(/^\s+at /m);
      expect(caches("disk")).toEqual([]);
    } finally {
      execFileSync("umount", [at("disk")]);
    }
  });
});

describe("memory", () => {
  it("does not grow with the text", async (test) => {
    test.skip(!CAN_MEASURE, "this system does not report the peak memory of a process");
    const peaks: number[] = [];
    for (const megabytes of [1, 64]) {
      writeLargeText(at("large.txt"), megabytes * 1e6, talesText());
      const words = train(`large-${megabytes}`, "--in-memory", 0.5, "--measure-tokens", 1000);
      const { code, stderr, peakBytes } = await measureProgram(
        folder,
        words.map((word) => (word === "text.txt" ? "large.txt" : word)),
      );
      expect(code, stderr).toBe(0);
      peaks.push(peakBytes);
    }
    rmSync(at("large.txt"));
    expect(peaks[0]).toBeGreaterThan(20e6);
    // A text in memory would add its size; garbage collection adds some noise.
    expect(peaks[1] - peaks[0]).toBeLessThan(32e6);
  });
});
