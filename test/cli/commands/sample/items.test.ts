/** Training on documents, and `nopeek sample --items`. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolder, parseLines, START_MS } from "../../../support/program.ts";
import { fingerprint, latestStep } from "../../../support/run-files.ts";

const NAMES = ["anna", "otto", "ava", "bob", "hannah", "elle"];
const TEXT = `${NAMES.join("\n")}\n`.repeat(12);
const folder = makeFolder();
const SMALL = [
  "--preset",
  "tiny",
  "--context-length",
  12,
  "--learning-rate",
  0.03,
  "--no-samples",
  "--quiet",
];
const train = (...words: (string | number)[]) => nopeekHere(folder, "train", ...SMALL, ...words);
const sample = (...words: (string | number)[]) => nopeekHere(folder, "sample", "--model", "run", ...words);
const textsOf = (stdout: string) => parseLines(stdout).map(({ text }) => String(text));

beforeAll(async () => {
  writeFileSync(join(folder, "names.txt"), TEXT);
  const done = await train("--data", "names.txt", "--documents", "lines", "--steps", 300, "--out", "run");
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toContain("documents   72 lines, each followed by an end token");
  expect(done.stdout.split("\n").length).toBeGreaterThan(9);
  expect(done.stdout).not.toContain("endoftext");
}, START_MS);

describe("--items", () => {
  it("writes whole documents, one per line, and reports how many are copies", async () => {
    const { stdout, stderr, code } = await sample("--items", 9, "--tokens", 30);
    expect(code, stderr).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(9);
    const copied = lines.filter((line) => NAMES.includes(line)).length;
    expect(copied).toBeGreaterThan(4);
    expect(stderr).toContain(`${copied} of 9 occur in the training text (names.txt)`);

    const json = await sample("--items", 9, "--tokens", 30, "--json");
    expect(textsOf(json.stdout)).toEqual(lines);
    for (const { text, copied, ended } of parseLines(json.stdout)) {
      expect(copied).toBe(NAMES.includes(String(text)));
      expect(ended).toBe("end");
    }
    // The first is the text of a plain sample.
    const plain = await sample("--tokens", 30);
    expect(plain.stdout).toBe(`${lines[0]}\n`);
  });

  it("continues a prompt as the beginning of a document", async () => {
    const { stdout } = await sample("--items", 4, "--prompt", "ha", "--temperature", 0.1);
    expect(stdout).toBe("hannah\n".repeat(4));
    const beam = await sample("--prompt", "ha", "--strategy", "beam");
    expect(beam.stdout).toBe("hannah\n");
  });

  it("--new-only leaves out copies and repeats", async () => {
    const flags = ["--items", 7, "--new-only", "--temperature", 1.5, "--tokens", 30];
    const { stdout, stderr, code } = await sample(...flags);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(new Set(lines).size).toBe(7);
    for (const line of lines) expect(NAMES).not.toContain(line);
    const [, left, all, repeats] = /left out (\d+) of (\d+) .* and (\d+) repeat/.exec(stderr) ?? [];
    expect(Number(all) - Number(left) - Number(repeats)).toBe(7);
  });

  it("--new-only ends, and says so, if the model writes nothing new", async () => {
    const { stdout, stderr } = await sample(
      "--items",
      2,
      "--new-only",
      "--prompt",
      "ha",
      "--temperature",
      0.01,
    );
    expect(stdout).toBe("");
    expect(stderr).toContain("only 0 of 2 found");
  });

  it("without the training text, or with another, says so; --new-only fails", async () => {
    writeFileSync(join(folder, "names.txt"), TEXT.replace("anna", "anne"));
    const changed = await sample("--items", 2);
    expect(changed.code).toBe(0);
    expect(changed.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(changed.stderr).toMatch(
      /cannot compare .*names\.txt: is not the text that this run was started on/,
    );
    rmSync(join(folder, "names.txt"));
    const gone = await sample("--items", 2);
    expect(gone.code).toBe(0);
    expect(gone.stderr).toMatch(/cannot compare .*names\.txt: there is no such file/);
    expectComplaint(await sample("--items", 2, "--new-only"), 2, "--new-only: cannot compare");
    writeFileSync(join(folder, "names.txt"), TEXT);
  });

  it.each<[string, (string | number)[]]>([
    ["--new-only needs --items", ["--new-only"]],
    ["--items must be a whole number ≥ 1", ["--items", 0]],
    ["--items and --samples", ["--items", 2, "--samples", 2]],
    ["--items requires --strategy sample", ["--items", 2, "--strategy", "beam"]],
    ["--items continues one prompt", ["--items", 2, "--prompt", "a", "--prompt", "b"]],
    ["takes --samples, not --items", ["--items", 2, "--explain"]],
  ])("is checked: %s", async (message, flags) => {
    expectComplaint(await sample(...flags), 2, message);
  });
});

describe("a run on documents", () => {
  it("resumes to the same bits, and is evaluated as during training", async () => {
    const flags = ["--data", "names.txt", "--documents", "lines", "--checkpoint-interval", 10];
    const whole = await train(...flags, "--steps", 20, "--out", "whole");
    await train(...flags, "--steps", 20, "--out", "half");
    writeFileSync(join(folder, "half", "latest"), "step-000010");
    expect((await nopeekHere(folder, "train", "--resume", "--out", "half")).code).toBe(0);
    const weights = (run: string) => fingerprint(latestStep(join(folder, run)));
    expect(weights("half")).toBe(weights("whole"));

    const [, loss] = Array.from(whole.stderr.matchAll(/validation loss (\d\.\d+) nats/g)).at(-1) ?? [];
    const evaluated = await nopeekHere(folder, "eval", "--model", "whole", "--data", "names.txt");
    expect(evaluated.stdout).toContain(`loss ${loss} nats per token`);
  });

  it("can be fine-tuned on documents only if it has an end token", async () => {
    const plain = await train("--data", "names.txt", "--steps", 2, "--out", "plain");
    expect(plain.code).toBe(0);
    const config = readFileSync(join(folder, "plain", "config.json"), "utf8");
    expect(config).not.toContain("endOfText");
    const tune = (from: string, ...more: string[]) =>
      nopeekHere(folder, "train", "--from", from, "--data", "names.txt", "--steps", 2, "--quiet", ...more);
    expectComplaint(await tune("plain", "--documents", "lines"), 2, "has no end token", "--documents none");
    expectComplaint(
      await nopeekHere(folder, "sample", "--model", "plain", "--items", 2),
      2,
      "was not trained on documents",
    );
    expect((await tune("run")).stderr).toContain("documents   72 lines");
  });
});
