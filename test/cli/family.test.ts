/** The other model kinds on the command line: an encoder that fills in blanks, and an encoder–decoder that answers. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere, succeedHere, succeedInJsonHere } from "../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  type Outcome,
  parseLines,
  START_MS,
  start,
  succeed,
} from "../support/program.ts";

const { folder, text: TEXT } = makeFolderWithText(300);
const VOCAB_SIZE = new Set(TEXT).size;
const SIZES = ["--layers", 1, "--heads", 2, "--d-model", 6, "--batch-size", 3, "--threads", 1];
const RUN = ["--dropout", 0.1, "--warmup-steps", 2, "--eval-batches", 1, "--eval-interval", 200];
const STRINGS = ["--alphabet-size", 4, "--min-length", 2, "--max-length", 5];
const STEPS = 601;
const LAST = "step-000601";

const TEXTBOOK = ["--preset", "gpt2-style"];

const TRAINING: Readonly<Record<string, readonly (string | number)[]>> = {
  encoder: ["train", "--model", "encoder", "--data", "text.txt", ...TEXTBOOK, "--context-length", 13],
  seq2seq: ["train", "--model", "seq2seq", "--task", "sort", ...STRINGS],
};
const training = (kind: string) => [
  ...TRAINING[kind],
  ...SIZES,
  ...RUN,
  "--steps",
  STEPS,
  "--checkpoint-interval",
  300,
];

let outcomes: Readonly<Record<string, Outcome>>;
beforeAll(async () => {
  const [encoder, seq2seq, gpt] = await Promise.all([
    succeed(folder, ...training("encoder"), "--out", "encoder"),
    succeed(folder, ...training("seq2seq"), "--out", "seq2seq"),
    succeed(
      ...[folder, "train", "--data", "text.txt", ...TEXTBOOK, "--context-length", 13, ...SIZES],
      ...["--steps", 3, "--out", "gpt"],
    ),
  ]);
  outcomes = { encoder, seq2seq, gpt };
}, START_MS);

const json = (...words: readonly (string | number)[]) => succeedInJsonHere(folder, ...words);

const configOf = (run: string) => JSON.parse(readFileSync(join(folder, run, "config.json"), "utf8")).config;

describe("nopeek train", () => {
  it("prints the objective of each kind, and its validation loss", () => {
    const { encoder, seq2seq } = outcomes;
    const parameters = /: ([\d,]+) parameters/;
    expect(encoder.stderr).toContain("1 layer, 2 heads, 6 channels, context 13, bidirectional: ");
    expect(encoder.stderr).toContain("predict 15% of the tokens");
    expect(encoder.stderr).toMatch(/step 200: validation loss about \d\.\d{4} \(estimate: 6 hidden tokens/);
    const tenth = TEXT.length - Math.floor((TEXT.length * 9) / 10);
    expect(encoder.stderr).toMatch(
      new RegExp(`validation loss \\d\\.\\d{4} nats \\(whole split: \\d+ of ${tenth} tokens hidden`),
    );
    expect(seq2seq.stderr).toContain("task        sort strings of 2 to 5 letters from abcd\n");
    expect(seq2seq.stderr).toMatch(
      /validation loss \d\.\d{4} nats, \d+ of \d+ held-out strings exactly right/,
    );
    for (const { stderr } of [encoder, seq2seq]) expect(stderr).toMatch(parameters);
  });

  it("prints a sample at the end: blanks filled in, strings answered", () => {
    const [prompt, filled, original] = outcomes.encoder.stdout.slice(0, -1).split("\n\n");
    expect(prompt).toContain("_");
    expect(filled).not.toContain("_");
    expect(TEXT).toContain(original);
    const lines = outcomes.seq2seq.stdout.trim().split("\n");
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line).toMatch(/^[a-d]{2,5} → [a-d]*$/);
  });

  it("saves the model kind in config.json, and only the settings of that kind", () => {
    expect(configOf("encoder")).toMatchObject({ settings: { model: "encoder", contextLength: 13 } });
    expect(configOf("encoder").settings).not.toHaveProperty("task");
    expect(configOf("seq2seq")).toMatchObject({
      settings: { model: "seq2seq", task: "sort", maxLength: 5 },
      tokenizer: { kind: "char", characters: "abcd" },
      corpus: null,
    });
    expect(configOf("seq2seq").settings).not.toHaveProperty("contextLength");
    expect(configOf("gpt").settings.model).toBe("gpt");
  });

  it("trains an encoder of bytes whose window ends within a character", async () => {
    writeFileSync(join(folder, "bytes.txt"), "Ü".repeat(99));
    const words = ["train", "--model", "encoder", "--tokenizer", "byte", "--data", "bytes.txt", "--json"];
    const sizes = [...SIZES, "--context-length", 3, "--steps", 1, "--out", "bytes"];
    const { stdout } = await succeedHere(folder, ...words, ...sizes);
    expect(parseLines(stdout).at(-1)).toMatchObject({ kind: "sample", text: expect.stringMatching(/^_/) });
    const [{ text }] = await json("sample", "--model", "bytes", "--prompt", "Ü_");
    expect(text).toMatch(/^Ü./s);
  });

  it("with --model seq2seq alone, starts from the preset of the task", async () => {
    const words = [
      "train",
      "--model",
      "seq2seq",
      "--task",
      "sort",
      ...SIZES,
      "--steps",
      0,
      "--out",
      "sorting",
    ];
    await succeedHere(folder, ...words);
    expect(configOf("sorting").settings).toMatchObject({
      task: "sort",
      layers: 1,
      maxLength: 10,
      learningRate: 2e-3,
    });
    await succeedHere(folder, "train", "--model", "encoder", ...SIZES, "--steps", 0, "--out", "tales");
    expect(configOf("tales")).toMatchObject({
      settings: { model: "encoder", contextLength: 64 },
      corpus: { path: "the embedded tales" },
    });
  });

  it.each(["encoder", "seq2seq"])("resumes an interrupted run of kind %s to the same bits", async (kind) => {
    const program = start(folder, ...training(kind), "--out", `stopped ${kind}`, "--json");
    await program.shows(/"kind":"step","step":7,/, "stdout");
    program.process.kill("SIGINT");
    const stopped = await program.outcome;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain(`npx nopeek train --resume --out 'stopped ${kind}'\n`);
    await succeed(folder, "train", "--resume", "--out", `stopped ${kind}`, "--threads", 2);
    for (const file of ["model.safetensors", "optimizer.safetensors"]) {
      const [resumed, whole] = [`stopped ${kind}`, kind].map((run) =>
        readFileSync(join(folder, run, LAST, file)),
      );
      expect(resumed.equals(whole), file).toBe(true);
    }
  });
});

describe("nopeek sample", () => {
  it("fills in each blank with the most probable token of nopeek logits", async () => {
    const prompt = "the f_x s_es";
    const [filled] = await json("sample", "--model", "encoder", "--prompt", prompt);
    const [{ tokens, logits }] = await json("logits", "--model", "encoder", "--prompt", prompt);
    if (!Array.isArray(tokens) || !Array.isArray(logits)) throw new Error("no logits");
    expect(tokens).toHaveLength(12);
    expect(tokens.filter((id) => id === VOCAB_SIZE)).toHaveLength(2);
    const characters = [...new Set(TEXT)].sort();
    const expected = [...prompt].map((character, t) => {
      const row: number[] = logits[t];
      return character === "_" ? characters[row.indexOf(Math.max(...row))] : character;
    });
    expect(filled).toMatchObject({ prompt, text: expected.join("") });
    expect(filled.blanks).toMatchObject([{ position: 5 }, { position: 9 }]);
    const plain = await succeedHere(folder, "sample", "--model", "encoder", "--prompt", prompt);
    expect(plain.stdout).toBe(`${expected.join("")}\n`);
  });

  it("answers a string with a string", async () => {
    const [answer] = await json("sample", "--model", "seq2seq", "--prompt", "dab");
    expect(answer).toMatchObject({ prompt: "dab", text: expect.stringMatching(/^[a-d]*$/) });
    const plain = await succeedHere(folder, "sample", "--model", "seq2seq", "--prompt", "dab");
    expect(plain.stdout).toBe(`${answer.text}\n`);
  });
});

describe("nopeek eval", () => {
  it("prints the loss that training ended with, for each kind", async () => {
    const figure = (kind: string) =>
      Number(/^validation loss (\d\.\d{4}) nats/m.exec(outcomes[kind].stderr)?.[1]);
    const [encoder] = await json("eval", "--model", "encoder/step-000601", "--data", "text.txt");
    expect(encoder).toMatchObject({ method: "whole split", split: "val", contextLength: 13 });
    expect(encoder.lossNats).toBeCloseTo(figure("encoder"), 4);
    const [seq2seq] = await json("eval", "--model", "seq2seq/step-000601");
    expect(seq2seq.lossNats).toBeCloseTo(figure("seq2seq"), 4);
    const strings = /(\d+) of (\d+) held-out strings exactly right \([\d,]+ tokens\)\n\n/.exec(
      outcomes.seq2seq.stderr,
    );
    expect(seq2seq).toMatchObject({ exact: Number(strings?.[1]), strings: Number(strings?.[2]) });
    expect((await succeedHere(folder, "eval", "--model", "encoder", "--data", "text.txt")).stderr).toContain(
      "tokens masked, in a fixed pattern, in windows of 13",
    );
  });
});

const sample = (model: string, ...words: (string | number)[]) => ["sample", "--model", model, ...words];
const train = (...words: (string | number)[]) => ["train", "--out", "new", ...words, "--steps", 1];

type Case = readonly [string, readonly (string | number)[], code: 1 | 2, told: readonly string[]];

const CASES: readonly Case[] = [
  ["a prompt without a blank", sample("encoder", "--prompt", "the fox"), 2, ["has no blank", "each _"]],
  ["no prompt for an encoder", sample("encoder"), 2, ["an encoder fills in blanks", "a _ for each"]],
  ["no prompt to answer", sample("seq2seq"), 2, ["answers a string: pass one with --prompt"]],
  ["an empty string", sample("seq2seq", "--prompt", ""), 2, ["strings of 1 to 5 letters: got 0"]],
  ["a string too long", sample("seq2seq", "--prompt", "abcdab"), 2, ["strings of 1 to 5 letters: got 6"]],
  ["a letter it does not know", sample("seq2seq", "--prompt", "abe"), 1, ['"e" (U+0065)']],
  ["a prompt too long", sample("encoder", "--prompt", "the fox sees _"), 2, ["1 to 13 tokens", "got 14"]],
  [
    "a flag of gpt's",
    sample("encoder", "--prompt", "_", "--top-k", 3),
    2,
    ["--top-k: only for gpt; encoder"],
  ],
  ["logits of an answer", ["logits", "--model", "seq2seq", "--prompt", "ab"], 2, ["use nopeek sample"]],
  [
    "a cache of an encoder",
    ["logits", "--model", "encoder", "--prompt", "a", "--cached"],
    2,
    ["has no KV cache"],
  ],
  [
    "a text that is not read",
    ["eval", "--model", "seq2seq", "--data", "text.txt"],
    2,
    ["--data is not allowed"],
  ],
  ["an unknown kind", train("--model", "bert"), 2, ["'bert'", "gpt, encoder, seq2seq"]],
  ["a task of a gpt", train("--task", "sort"), 2, ["--task is for seq2seq: got it with --model gpt"]],
  ["pairs in an encoder", train("--model", "encoder", "--bigram"), 2, ["--bigram is for gpt"]],
  ["a text for strings", train("--model", "seq2seq", "--data", "text.txt"), 2, ["not on a text"]],
  [
    "too few strings",
    train("--model", "seq2seq", "--max-length", 3, "--alphabet-size", 2),
    2,
    ["only 8 strings"],
  ],
  ["a preset of another kind", train("--preset", "sort", "--model", "gpt"), 2, ["--task is for seq2seq"]],
  ["timing an encoder", ["bench", "--preset", "blanks"], 2, ["is for encoder, but bench only times a gpt"]],
  [
    "another task for a run",
    ["train", "--resume", "--out", "seq2seq", "--task", "reverse"],
    2,
    ["may change: got --task"],
  ],
  ["another kind for a run", ["train", "--resume", "--out", "encoder", "--model", "gpt"], 2, ["got --model"]],
];

describe("rejected with a message", () => {
  it.each(CASES)("%s", async (_what, words, code, told) => {
    expectComplaint(await nopeekHere(folder, ...words), code, ...told);
  });
});
