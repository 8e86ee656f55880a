/** Runs `nopeek chat` on files of prompts. */
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  parseLines,
  START_MS,
  TRAIN,
} from "../../../support/program.ts";

const { folder, at } = makeFolderWithText(400);

beforeAll(async () => {
  const flags = ["--steps", 60, "--learning-rate", 0.02, "--warmup-steps", 2, "--eval-batches", 1];
  const { code, stderr } = await nopeekHere(folder, ...TRAIN, "--out", "run", ...flags);
  expect(code, stderr).toBe(0);
}, START_MS);

type Words = readonly (string | number)[];

/** Chats with these lines of input. */
async function chat(lines: readonly string[], ...flags: Words) {
  writeFileSync(at("prompts.txt"), `${lines.join("\n")}\n`);
  return nopeekHere(folder, "chat", "run", "--prompts", "prompts.txt", "--tokens", 12, ...flags);
}

/** The continuation that `nopeek sample` writes. */
async function sampled(prompt: string, ...flags: Words): Promise<string> {
  const words = ["sample", "--model", "run", "--prompt", prompt, "--tokens", 12, "--json", ...flags];
  const { stdout, stderr } = await nopeekHere(folder, ...words);
  expect(stderr).toBe("");
  return String(parseLines(stdout)[0].text);
}

async function turns(lines: readonly string[], ...flags: Words): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, code } = await chat(lines, ...flags, "--json");
  expect([stderr, code]).toEqual(["", 0]);
  return parseLines(stdout);
}

describe("prompts of a file", () => {
  it("are continued in turn; the first one as by nopeek sample", async () => {
    const { stdout, code } = await chat(["the fox", "a red bird"]);
    const [first, second] = await turns(["the fox", "a red bird"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`the fox${first.text}\na red bird${second.text}\n`);
    expect(first.text).toBe(await sampled("the fox"));
  });

  it("continue one text: the model sees what came before", async () => {
    const greedy = ["/temperature 0"];
    const [first, second, third] = await turns([...greedy, "the fox", "a red", ""]);
    // A prompt begins on a new line; an empty one adds nothing.
    const before = `the fox${first.text}\na red`;
    expect(second.text).toBe(await sampled(before, "--strategy", "greedy"));
    expect(third.text).toBe(await sampled(`${before}${second.text}`, "--strategy", "greedy"));
  });

  it("start afresh after /reset, and each with --fresh", async () => {
    const [first, , again] = await turns(["the fox", "/reset", "old trees", "/reset", "the fox"]);
    expect(again).toEqual(first);
    const fresh = await turns(["old trees", "the fox"], "--fresh");
    expect(fresh[1]).toEqual(first);
    const [, continued] = await turns(["old trees", "the fox"]);
    expect(continued.text).not.toBe(first.text);
  });

  it("draw from a stream for each turn; a seed starts again", async () => {
    const [first, second, third] = await turns(["", "/seed 5", "", "/seed 1337", ""], "--fresh");
    expect(second.seed).toBe(5);
    expect(second.text).not.toBe(first.text);
    expect(third).toEqual(first);
  });

  it("are left out with --no-echo", async () => {
    const [{ text }] = await turns(["the fox"]);
    expect((await chat(["the fox"], "--no-echo")).stdout).toBe(`${text}\n`);
    expect((await chat(["the fox"])).stdout).toBe(`the fox${text}\n`);
  });

  it("have escapes on request", async () => {
    const [{ prompt }] = await turns(["the fox\\n\\u0061"], "--escapes");
    expect(prompt).toBe("the fox\na");
    expect((await chat(["C:\\new"])).stderr).toContain('"C"');
  });

  it("stop at a stop text", async () => {
    const [{ text }] = await turns(["the "], "--tokens", 60);
    const stop = String(text).slice(5, 7);
    const [stopped] = await turns([`/stop ${stop}`, "the "], "--tokens", 60);
    expect(stopped).toMatchObject({ ended: "stop", stop });
  });
});

describe("a mistake", () => {
  it("is explained, the lines after it are read, and the exit code is 1", async () => {
    const { stdout, stderr, code } = await chat(["/topk 3", "Ω", "the fox", "/quit", "never"]);
    const [{ text }] = await turns(["the fox"]);
    expect(stdout).toBe(`the fox${text}\n`);
    expect(stderr).toMatch(/^nopeek: there is no command \/topk; did you mean \/top-k\?/m);
    expect(stderr).toMatch(/^nopeek: .*"Ω" \(U\+03A9\)/m);
    expect(code).toBe(1);
  });

  it("in a flag or a file ends the program", async () => {
    expectComplaint(await chat(["the"], "--top-k", 0), 2, "--top-k must be a whole number");
    expectComplaint(
      await nopeekHere(folder, "chat", "run", "--prompts", "none.txt"),
      1,
      "none.txt",
      "--prompts",
    );
    expectComplaint(await nopeekHere(folder, "chat", "nobody"), 1, "nobody");
  });

  it("in the name of a model keeps the one that is loaded", async () => {
    const { stdout, stderr, code } = await chat(["/model nobody", "/model run", "the fox"]);
    expect(stderr).toContain("nobody");
    expect(stdout).toContain("the fox");
    expect(code).toBe(1);
  });
});
