/** `nopeek plot`: as text, JSON, an SVG and a page. */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere, succeedHere } from "../../../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  nopeek,
  parseLines,
  START_MS,
  succeed,
  TRAIN_AND_SAMPLE,
} from "../../../support/program.ts";
import { logOf } from "../../../support/run-files.ts";
import { elements, parseXml } from "../../../support/xml.ts";

const { folder, at } = makeFolderWithText(200);
const training = [...TRAIN_AND_SAMPLE, "--steps", 60, "--eval-interval", 20];

beforeAll(async () => {
  await succeed(folder, ...training, "--out", "checkpoints/one");
  await succeed(folder, ...training, "--learning-rate", 0.02, "--out", "checkpoints/two");
}, START_MS);

describe("nopeek plot", () => {
  it("prints curves in 80 columns without colors, a summary of the runs and their differences", async () => {
    const { stdout, stderr } = await succeedHere(folder, "plot", "one", "checkpoints/two");
    const lines = stdout.trimEnd().split("\n");
    for (const line of lines) expect(Array.from(line).length, line).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("○ one: validation");
    expect(stdout).toContain("· one: validation, estimated");
    expect(stdout).toMatch(/uniform guess \d\.\d{4}/);
    const best = /best loss +(\d\.\d{4})/.exec(stdout)?.[1] ?? /^one +(\d\.\d{4})/m.exec(stdout)?.[1];
    const evaluations = logOf(at("checkpoints/one")).filter(({ kind }) => kind === "evaluation");
    const losses = evaluations.map(({ lossNats }) => Number(lossNats));
    expect(best).toBe(Math.min(...losses).toFixed(4));
    expect(lines.slice(lines.indexOf("settings that differ") + 1)).toEqual([
      "  --learning-rate  0.001 | 0.02",
    ]);
    expect(stderr).toBe("for a full report: npx nopeek plot one checkpoints/two --html report.html\n");
  });

  it("prints one JSON object per run with --json, and nothing else on stdout", async () => {
    const { stdout, stderr } = await succeedHere(folder, "plot", "one", "two", "--json", "--smooth", 3);
    expect(stderr).toBe("");
    const [one, two, ...rest] = parseLines(stdout);
    expect(rest).toEqual([]);
    expect([one.name, two.name]).toEqual(["one", "two"]);
    expect(one).toMatchObject({ status: "finished", step: 60, smoothing: 3, tokensPerStep: 39 });
    expect(one.curves).toHaveProperty("train.length", 60);
    expect(one.samples).toHaveProperty("length", 3);
  });

  it("writes an SVG and a page, and only overwrites files of the same kind", async () => {
    const words = ["plot", "one", "two", "--svg", "a.svg", "--html", "a.html"];
    for (let i = 0; i < 2; i++) {
      const { stderr } = await succeed(folder, ...words, "--x", "tokens", "--log");
      expect(stderr).toBe("wrote a.svg\nwrote a.html\n");
    }
    const curves = elements(parseXml(readFileSync(at("a.svg"), "utf8")), "path").filter((path) =>
      path.getAttribute("data-curve"),
    );
    expect(curves).toHaveLength(4);
    const page = readFileSync(at("a.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
    for (const words of [
      "--resume --out checkpoints/one",
      "sample --model checkpoints/two",
      "≠ --learning-rate",
    ])
      expect(page).toContain(words);
    // The page includes the license of the third-party code in it.
    expect(page).toContain("Permission to use, copy, modify, and/or distribute this software");

    const config = readFileSync(at("checkpoints/one/config.json"), "utf8");
    expectComplaint(
      await nopeek(folder, "plot", "one", "--html", "checkpoints/one/config.json", "--json"),
      1,
      "already exists and is not an HTML page",
    );
    expect(readFileSync(at("checkpoints/one/config.json"), "utf8")).toBe(config);
  });

  it.each([
    ["a run that does not exist", ["plot", "ona"], 1, 'there is no run "ona"; did you mean checkpoints/one?'],
    ["no run", ["plot"], 2, "missing required argument"],
    ["a file that is not a run", ["plot", "text.txt"], 2, "there is none in text.txt"],
    ["smoothing over 0 steps", ["plot", "one", "--smooth", 0], 2, "--smooth must be a whole number of steps"],
    ["an unknown axis unit", ["plot", "one", "--x", "hours"], 2, "steps, tokens, seconds"],
    ["one file for both", ["plot", "one", "--svg", "a", "--html", "a"], 2, "must name different files"],
    [
      "a folder as an output file",
      ["plot", "one", "--svg", "checkpoints", "--json"],
      1,
      "it is a folder; name a file",
    ],
    [
      "an output folder that does not exist",
      ["plot", "one", "--svg", "no/a.svg", "--json"],
      1,
      "its folder does not exist",
    ],
  ])("rejects %s", async (_, words, code, message) => {
    const outcome = await nopeekHere(folder, ...words);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });

  it("skips files that are not runs, and draws runs without steps and with hostile names", async () => {
    const name = 'a "<b>&\u001b[31m run';
    mkdirSync(at(name));
    cpSync(at("checkpoints/one/config.json"), at(name, "config.json"));
    const alone = await succeedHere(folder, "plot", name);
    expect(alone.stdout).toMatch(/^no step yet\n/);
    expect(alone.stdout + alone.stderr).not.toContain("\u001b");
    const { stderr, stdout } = await succeedHere(
      folder,
      "plot",
      name,
      "text.txt",
      "one",
      "two",
      "--svg",
      "b.svg",
    );
    expect(stderr).toBe("text.txt: contains no run; skipped\nwrote b.svg\n");
    expect(stdout).toContain("two: validation");
    parseXml(readFileSync(at("b.svg"), "utf8"));
  });
});
