/** What `nopeek train` trains on: a text with or without a flag, or a pipe. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { trainingText } from "../../../../src/cli/commands/train/training-text.ts";
import { ConfigError } from "../../../../src/errors.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { MAIN, makeFolderWithText, START_MS, TINY, TRAIN } from "../../../support/program.ts";

const { folder, text, at } = makeFolderWithText(200);
const STEPS = ["--steps", 1, "--eval-batches", 1];
const corpusOf = (run: string) =>
  JSON.parse(readFileSync(join(at(run), "config.json"), "utf8")).config.corpus;

beforeAll(async () => {
  const { code, stderr } = await nopeekHere(folder, ...TRAIN, ...STEPS, "--out", "run");
  expect(code, stderr).toBe(0);
}, START_MS);

describe("a text without a flag", () => {
  it("is trained on as with --data", async () => {
    const words = ["train", "text.txt", ...TINY, ...STEPS, "--out", "positional"];
    const { code, stderr } = await nopeekHere(folder, ...words);
    expect(code, stderr).toBe(0);
    expect(corpusOf("positional")).toEqual(corpusOf("run"));
  });

  it("comes before those of --data", async () => {
    const flags = { backend: "wasm", texts: ["a", "b"], data: ["c"] } as const;
    expect(await trainingText(flags)).toEqual({ data: ["a", "b", "c"] });
  });

  it("that is a run gets the commands for a run", async () => {
    const { code, stderr } = await nopeekHere(folder, "train", "run");
    expect(code).toBe(2);
    expect(stderr).toContain("npx nopeek train --resume --out run\n");
    expect(stderr).toContain("npx nopeek train --from run --data my.txt");
  });
});

describe("standard input", () => {
  const text = async () => "text" as const;
  const never = (): never => {
    throw new Error("must not look");
  };

  it("is looked at only if nothing else is named", async () => {
    for (const flags of [
      { data: ["a"] },
      { preset: "tiny" },
      { config: "a.json" },
      { from: "run", data: ["a"] },
      { resume: true },
      { model: "seq2seq" },
    ])
      expect(await trainingText({ backend: "wasm", ...flags }, never)).toEqual({
        data: "data" in flags ? flags.data : undefined,
      });
    expect((await trainingText({ backend: "wasm" }, text)).data).toEqual(["-"]);
    expect((await trainingText({ backend: "wasm" }, async () => "silence" as const)).data).toBeUndefined();
    expect((await trainingText({ backend: "wasm" }, async () => "nothing" as const)).data).toBeUndefined();
  });

  it("refuses a run before it looks", async () => {
    await expect(trainingText({ backend: "wasm", texts: [at("run")] }, never)).rejects.toThrow(ConfigError);
  });
});

/** Runs `nopeek train` with a pipe as standard input. */
async function piped(input: string, ...words: readonly (string | number)[]) {
  const child = spawn(process.execPath, [MAIN, "train", ...words.map(String)], { cwd: folder });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    stderr += piece;
  });
  child.stdout.resume();
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stderr };
}

it("a pipe is trained on without a flag", async () => {
  const { code, stderr } = await piped(text, ...TINY, ...STEPS, "--out", "from-pipe");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain("training on standard input");
  expect(corpusOf("from-pipe")).toMatchObject({ path: "-", sha256: corpusOf("run").sha256 });
});
