/** `nopeek plot` as a person calls it. */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  expectComplaint,
  makeFolderWithText,
  nopeek,
  parseLines,
  START_MS,
  succeed,
  TRAIN,
} from "../../../support/program.ts";
import { logOf } from "../../../support/run-files.ts";
import { elements, parseXml } from "../../../support/xml.ts";

const { folder, at } = makeFolderWithText(200);
const training = [...TRAIN, "--steps", 60, "--eval-interval", 20];

beforeAll(async () => {
  await succeed(folder, ...training, "--out", "checkpoints/one");
  await succeed(folder, ...training, "--learning-rate", 0.02, "--out", "checkpoints/two");
}, START_MS);

describe("nopeek plot", () => {
  it("draws curves in 80 columns without colors, says how the runs stand and in what they differ", async () => {
    const { stdout, stderr } = await succeed(folder, "plot", "one", "checkpoints/two");
    const lines = stdout.trimEnd().split("\n");
    for (const line of lines) expect(Array.from(line).length, line).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("one: validation");
    expect(stdout).toMatch(/a blind guess \d\.\d{4}/);
    const best = /best loss +(\d\.\d{4})/.exec(stdout)?.[1] ?? /^one +(\d\.\d{4})/m.exec(stdout)?.[1];
    const evaluations = logOf(at("checkpoints/one")).filter(({ kind }) => kind === "evaluation");
    const losses = evaluations.map(({ lossNats }) => Number(lossNats));
    expect(best).toBe(Math.min(...losses).toFixed(4));
    expect(lines.slice(lines.indexOf("they differ in") + 1)).toEqual(["  --learning-rate  0.001 | 0.02"]);
    expect(stderr).toBe(
      "a page with all about them: npx nopeek plot one checkpoints/two --html report.html\n",
    );
  });

  it("with --json gives an object a run, and nothing else on stdout", async () => {
    const { stdout, stderr } = await succeed(folder, "plot", "one", "two", "--json", "--smooth", 3);
    expect(stderr).toBe("");
    const [one, two, ...rest] = parseLines(stdout);
    expect(rest).toEqual([]);
    expect([one.name, two.name]).toEqual(["one", "two"]);
    expect(one).toMatchObject({ status: "finished", step: 60, smoothing: 3, tokensPerStep: 39 });
    expect(one.curves).toHaveProperty("train.length", 60);
    expect(one.samples).toHaveProperty("length", 3);
  });

  it("writes a picture and a page, over ones of their kind and over nothing else", async () => {
    const words = ["plot", "one", "two", "--svg", "a.svg", "--html", "a.html"];
    for (let i = 0; i < 2; i++) {
      const { stderr } = await succeed(folder, ...words, "--x", "tokens", "--log");
      expect(stderr).toBe("written to a.svg\nwritten to a.html\n");
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
    // What of others goes along, goes with its license.
    expect(page).toContain("Permission to use, copy, modify, and/or distribute this software");

    const config = readFileSync(at("checkpoints/one/config.json"), "utf8");
    expectComplaint(
      await nopeek(folder, "plot", "one", "--html", "checkpoints/one/config.json", "--json"),
      1,
      "is there, and is not an HTML page",
    );
    expect(readFileSync(at("checkpoints/one/config.json"), "utf8")).toBe(config);
  });

  it.each([
    ["a run that is not there", ["plot", "ona"], 1, 'there is no run "ona"; did you mean checkpoints/one?'],
    ["no run", ["plot"], 2, "missing required argument"],
    ["what is no run", ["plot", "text.txt"], 2, "holds none"],
    [
      "no steps to smooth over",
      ["plot", "one", "--smooth", 0],
      2,
      "--smooth must be a whole number of steps",
    ],
    ["an axis that there is not", ["plot", "one", "--x", "hours"], 2, "steps, tokens, seconds"],
    ["one file for both", ["plot", "one", "--svg", "a", "--html", "a"], 2, "each write a file of their own"],
    [
      "a folder in a file's place",
      ["plot", "one", "--svg", "checkpoints", "--json"],
      1,
      "it is a folder; name a file",
    ],
    [
      "a folder that is not there",
      ["plot", "one", "--svg", "no/a.svg", "--json"],
      1,
      "its folder is not there",
    ],
  ])("complains of %s", async (_, words, code, told) => {
    const outcome = await nopeek(folder, ...words);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(told);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });

  it("leaves out what is no run, and draws what has no step yet and names of any kind", async () => {
    const name = 'a "<b>&\u001b[31m run';
    mkdirSync(at(name));
    cpSync(at("checkpoints/one/config.json"), at(name, "config.json"));
    const alone = await succeed(folder, "plot", name);
    expect(alone.stdout).toMatch(/^no step yet\n/);
    expect(alone.stdout + alone.stderr).not.toContain("\u001b");
    const { stderr, stdout } = await succeed(
      folder,
      "plot",
      name,
      "text.txt",
      "one",
      "two",
      "--svg",
      "b.svg",
    );
    expect(stderr).toBe("text.txt: holds no run; left out\nwritten to b.svg\n");
    expect(stdout).toContain("two: validation");
    parseXml(readFileSync(at("b.svg"), "utf8"));
  });
});
