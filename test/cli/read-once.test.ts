/** Every command reads a checkpoint from disk once, however many steps use it. */
import { basename, dirname } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { nodeFiles } from "../../src/run/node-files.ts";
import { nopeekHere } from "../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN_AND_SAMPLE } from "../support/program.ts";

const { folder } = makeFolderWithText(200);
const seq2seq = ["train", "--model", "seq2seq", "--layers", 1, "--d-model", 8, "--threads", 1, "--steps", 1];

beforeAll(async () => {
  await nopeekHere(folder, ...TRAIN_AND_SAMPLE, "--steps", 2, "--out", "run");
  await nopeekHere(folder, ...TRAIN_AND_SAMPLE, "--model", "encoder", "--steps", 2, "--out", "blanks");
  await nopeekHere(folder, ...seq2seq, "--out", "answers");
}, START_MS);

afterEach(() => vi.restoreAllMocks());

/** How often a command reads each file of a checkpoint, by the file's name. */
async function readsOf(...words: (string | number)[]): Promise<Record<string, number>> {
  const whole = vi.spyOn(nodeFiles, "read");
  const inPieces = vi.spyOn(nodeFiles, "open");
  const { code, stderr } = await nopeekHere(folder, ...words);
  expect(code, stderr).toBe(0);
  const reads: Record<string, number> = {};
  for (const [file] of [...whole.mock.calls, ...inPieces.mock.calls]) {
    if (!basename(dirname(file)).startsWith("step-")) continue;
    reads[basename(file)] = (reads[basename(file)] ?? 0) + 1;
  }
  return reads;
}

const model = { "model.safetensors": 1, "state.json": 1 };

describe("a checkpoint is read once by", () => {
  it.each<[string, (string | number)[]]>([
    ["sample", ["sample", "--model", "run", "--tokens", 2]],
    ["sample of an encoder", ["sample", "--model", "blanks", "--prompt", "th_"]],
    ["sample of a seq2seq model", ["sample", "--model", "answers", "--prompt", "abc"]],
    ["eval", ["eval", "--model", "run", "--data", "text.txt", "--threads", 1]],
    ["eval of a seq2seq model", ["eval", "--model", "answers", "--threads", 1]],
    ["logits", ["logits", "--model", "run", "--prompt", "the"]],
    ["verify", ["verify", "--model", "run", "--texts", 1, "--positions", 3, "--threads", 1]],
    ["lesson mask", ["lesson", "mask", "--model", "run", "--prompt", "the"]],
    [
      "train --from",
      ["train", "--data", "text.txt", "--from", "run", "--threads", 1, "--steps", 1, "--out", "tuned"],
    ],
  ])("%s", async (_, words) => {
    expect(await readsOf(...words)).toEqual(model);
  });

  it("train --resume, with its optimizer", async () => {
    const words = ["train", "--resume", "--out", "run", "--steps", 3, "--threads", 1];
    expect(await readsOf(...words)).toEqual({ ...model, "optimizer.safetensors": 1 });
  });

  it("no command that needs none", async () => {
    expect(await readsOf("runs", ".")).toEqual({});
    expect(await readsOf("plot", "run", "--json")).toEqual({});
    expect(await readsOf(...TRAIN_AND_SAMPLE, "--steps", 1, "--out", "fresh")).toEqual({});
  });
});
