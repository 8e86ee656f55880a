/** Training on byte pairs: from a text to samples, stopped, resumed, from a file of tokens, and fine-tuned. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runConfigFromJSON } from "../../src/run/config.ts";
import { RunDirectory } from "../../src/run/on-disk.ts";
import { splitWords } from "../../src/text/bpe/split-words.ts";
import { trainBpe } from "../../src/text/bpe/train-bpe.ts";
import { nopeekHere, succeedHere, succeedInJsonHere } from "../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  makeText,
  parseLines,
  START_MS,
  succeed,
  TINY,
  TRAIN,
  WORDS,
} from "../support/program.ts";

const TEXT = `${makeText(WORDS, 900)}é日😀 ${makeText(WORDS, 300)}`;
const BPE = ["--tokenizer", "bpe", "--vocab-size", 300];
const { folder } = makeFolderWithText(TEXT);
const training = [...TRAIN, ...BPE, "--dropout", 0.1, "--checkpoint-interval", 10];

beforeAll(async () => {
  await succeed(folder, ...training, "--steps", 20, "--out", "whole");
}, START_MS);

function configOf(run: string) {
  return runConfigFromJSON(RunDirectory.open(join(folder, run)).config, run);
}

function weightsOf(run: string, step: string): Buffer {
  return readFileSync(join(folder, run, step, "model.safetensors"));
}

/** Nine tenths of the bytes, up to a character; what comes after is never seen in training. */
const bytes = Buffer.from(TEXT);
let boundary = Math.floor((bytes.length * 9) / 10);
while ((bytes[boundary] & 0xc0) === 0x80) boundary += 1;
const trained = bytes.subarray(0, boundary).toString();
const heldOut = bytes.subarray(boundary).toString();

describe("nopeek train --tokenizer bpe", () => {
  it("learns its vocabulary from the part of the text to train on", () => {
    const { tokenizer, settings, corpus } = configOf("whole");
    expect(tokenizer.toJSON()).toEqual(trainBpe(trained, { vocabSize: 300 }).toJSON());
    expect(tokenizer.toJSON()).not.toEqual(trainBpe(TEXT, { vocabSize: 300 }).toJSON());
    expect(settings).toMatchObject({ tokenizer: "bpe", vocabSize: 300 });
    expect(corpus?.boundary).toBe(tokenizer.encode(trained).length);
  });

  it("gives the same bits when it is resumed, and from a file of tokens", async () => {
    await succeedHere(folder, ...training, "--steps", 10, "--schedule", "constant", "--out", "flat");
    await succeedHere(folder, ...training, "--steps", 20, "--schedule", "constant", "--out", "flat-20");
    await succeedHere(folder, "train", "--resume", "--out", "flat", "--steps", 20);
    expect(weightsOf("flat", "step-000020").equals(weightsOf("flat-20", "step-000020"))).toBe(true);
    const cached = ["--steps", 20, "--in-memory", 0, "--out", "cached"];
    const { stderr } = await succeedHere(folder, ...training, ...cached);
    expect(stderr).toContain("of tokens in .nopeek-cache");
    expect(weightsOf("cached", "step-000020").equals(weightsOf("whole", "step-000020"))).toBe(true);
    const again = await succeedHere(
      folder,
      "train",
      "--resume",
      "--in-memory",
      0,
      "--out",
      "cached",
      "--steps",
      21,
    );
    expect(again.stderr).toContain("tokenized before");
  });

  it("writes, and continues a prompt with any characters", async () => {
    const words = ["--tokens", 20, "--prompt", "the Ω", "--seed", 1];
    const { stdout } = await succeedHere(folder, "sample", "--model", "whole", ...words);
    expect(stdout).toContain("the Ω");
  });

  it("has its loss in bits per byte of the text", async () => {
    const [evaluation] = await succeedInJsonHere(folder, "eval", "--model", "whole");
    const { tokenizer } = configOf("whole");
    const tokens = tokenizer.encode(heldOut).length;
    const length = Buffer.byteLength(heldOut);
    expect(tokens).toBeLessThan(length);
    expect(evaluation).toMatchObject({ tokens, bytes: length, chars: Array.from(heldOut).length });
    const bits = (Number(evaluation.lossNats) * tokens) / Math.LN2 / length;
    expect(evaluation.bitsPerByte).toBeCloseTo(bits, 9);
  });

  it("has it in the log, in the list of runs, in a plot and in the model card of an export", async () => {
    const [evaluation] = await succeedInJsonHere(folder, "eval", "--model", "whole", "--step", "best");
    const [run] = await succeedInJsonHere(folder, "runs", "whole");
    expect(run.bestBitsPerByte).toBeCloseTo(Number(evaluation.bitsPerByte), 9);
    const shown = Number(evaluation.bitsPerByte).toFixed(4);
    const { stdout: plot } = await succeedHere(folder, "plot", "whole");
    expect(plot).toMatch(new RegExp(`bits/byte.*${shown}`, "s"));
    await succeedHere(folder, "export", "whole", "--format", "onnx", "--step", "best", "--out", "exported");
    const card = readFileSync(join(folder, "exported", "README.md"), "utf8");
    expect(card).toContain(`nats per token, or ${shown} bits per byte of UTF-8`);
  });

  it("has it in an ablation, of the text that is held out", async () => {
    const words = ["--steps", 1, "--seeds", 1, "--vary", "bias=off", "--results", "runs.jsonl"];
    const { stdout } = await succeedHere(
      folder,
      "ablate",
      "--data",
      "text.txt",
      ...TINY,
      ...BPE,
      ...words,
      "--json",
    );
    const tokenizer = trainBpe(trained, { vocabSize: 300 });
    const ids = tokenizer.encode(trained);
    const start = Math.floor(ids.length * 0.9);
    const length = Buffer.byteLength(tokenizer.decode(ids.subarray(start)));
    for (const { meanNats, meanBitsPerByte } of parseLines(stdout)) {
      const nats = Number(meanNats) * (ids.length - start);
      expect(meanBitsPerByte).toBeCloseTo(nats / Math.LN2 / length, 9);
    }
  });

  it("ends words and tokens at the end of a document", async () => {
    writeFileSync(join(folder, "names.txt"), "emma\nemily\nemil\n".repeat(60));
    const names = ["train", "--data", "names.txt", "--preset", "gpt2-style", ...TRAIN.slice(5)];
    await succeedHere(folder, ...names, ...BPE, "--documents", "lines", "--steps", 2, "--out", "names");
    const { tokenizer } = configOf("names");
    expect(tokenizer.endOfText).toBe(tokenizer.vocabSize - 1);
    const tokens = Array.from({ length: tokenizer.vocabSize - 257 }, (_, i) => tokenizer.decode([256 + i]));
    expect(tokens.filter((token) => splitWords(token).length > 1)).toEqual([]);
    expect(tokens.some((token) => token.includes("\n"))).toBe(false);
    expect(tokens).toContain("emma");
  });

  it("fine-tunes with the tokenizer of the model", async () => {
    writeFileSync(join(folder, "other.txt"), "Ωmega beats alpha. ".repeat(60));
    await succeedHere(
      folder,
      "train",
      "--from",
      "whole",
      "--data",
      "other.txt",
      "--steps",
      2,
      "--out",
      "tuned",
    );
    expect(configOf("tuned").tokenizer.toJSON()).toEqual(configOf("whole").tokenizer.toJSON());
  });

  it("says when the text has not enough for the vocabulary", async () => {
    const { stderr } = await succeedHere(
      folder,
      ...TRAIN,
      ...BPE.slice(0, 3),
      5000,
      "--steps",
      1,
      "--out",
      "few",
    );
    const { vocabSize } = configOf("few").tokenizer;
    expect(vocabSize).toBeLessThan(5000);
    expect(stderr).toContain(`has enough for ${vocabSize} tokens, not for --vocab-size 5000`);
  });

  it("rejects a size that has no room, or that is for no other tokenizer", async () => {
    const small = await nopeekHere(folder, ...TRAIN, "--tokenizer", "bpe", "--vocab-size", 256);
    expectComplaint(small, 2, "--vocab-size must be at least 257, because 256 tokens are the bytes: got 256");
    const char = await nopeekHere(folder, ...TRAIN, "--vocab-size", 300);
    expectComplaint(char, 2, "--vocab-size is for --tokenizer bpe: got it with --tokenizer char");
  });
});
