/** The verdict at the end of real runs: printed, logged, and in the exit code. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeVerdict } from "../../../../src/cli/commands/train/judge-run.ts";
import type { Verdict } from "../../../../src/cli/commands/train/verdict.ts";
import { RunDirectory } from "../../../../src/run/on-disk.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolderWithText, parseLines, TRAIN } from "../../../support/program.ts";

const { folder } = makeFolderWithText(60);

const logged = (run: string) =>
  RunDirectory.open(join(folder, run))
    .readLog()
    .filter(({ kind }) => kind === "verdict");

it("prints the verdict and the command that helps, and logs it once", async () => {
  const words = [...TRAIN, "--out", "short run", "--steps", 3];
  const { code, stderr } = await nopeekHere(folder, ...words);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^verdict {5}The model has learned next to nothing: its loss is \d\.\d{4}/m);
  expect(stderr).toContain("try         npx nopeek train --config 'short run/config.json' --steps 1000");
  expect(logged("short run")).toEqual([
    { kind: "verdict", step: 3, verdict: "guessing", text: expect.stringContaining("guessing gives") },
  ]);
});

it("ends a diverged run with exit code 1, after saving it", async () => {
  const words = [
    ...TRAIN,
    "--out",
    "wild",
    "--steps",
    12,
    "--learning-rate",
    10,
    "--warmup-steps",
    0,
    "--json",
  ];
  const { code, stdout, stderr } = await nopeekHere(folder, ...words);
  expect(code, stderr).toBe(1);
  expect(stderr).toContain("The training diverged");
  expect(stderr).toContain("--learning-rate 3.3");
  expect(logged("wild")).toMatchObject([{ verdict: "diverged" }]);
  expect(parseLines(stdout)).toContainEqual(
    expect.objectContaining({ kind: "verdict", verdict: "diverged" }),
  );
});

it("judges a finished run that is resumed without more steps", async () => {
  await nopeekHere(folder, ...TRAIN, "--out", "done", "--steps", 3);
  const again = await nopeekHere(folder, "train", "--resume", "--out", "done", "--threads", 1);
  expect(again.stderr).toContain("verdict     The model has learned next to nothing");
});

it("suggests no command for a text from standard input, which cannot be read again", () => {
  const verdict: Verdict = { kind: "improving", sentences: ["One."], changes: { steps: 20 } };
  const corpus = { path: "my.txt", sha256: "", characters: 1 };
  expect(describeVerdict(verdict, "runs/1", corpus)).toEqual([
    "verdict     One.",
    "try         npx nopeek train --config runs/1/config.json --steps 20",
  ]);
  expect(describeVerdict(verdict, "runs/1", { ...corpus, path: "-" })).toHaveLength(1);
  expect(describeVerdict(verdict, "runs/1", { ...corpus, path: "a, -", paths: ["a", "-"] })).toHaveLength(1);
  expect(describeVerdict({ ...verdict, changes: {} }, "runs/1", corpus)).toHaveLength(1);
});
