/** Fine-tuning a trained model on another text. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nopeekHere, succeedHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolderWithText, makeText, TRAIN, WORDS } from "../../../support/program.ts";

const { folder } = makeFolderWithText(200);
writeFileSync(join(folder, "other.txt"), makeText([...WORDS].reverse(), 210).replaceAll("fox", "fΩx"));
const weights = (run: string, step: string) => readFileSync(join(folder, run, step, "model.safetensors"));
const on = ["train", "--from", "first", "--data", "other.txt", "--steps", 4, "--threads", 1];

it("starts from the trained weights and their tokenizer; resumes and repeats to the same bits", async () => {
  await succeedHere(folder, ...TRAIN, "--steps", 6, "--out", "first");
  expectComplaint(await nopeekHere(folder, ...on, "--out", "on"), 1, '"Ω" (U+03A9) is not among the');
  expectComplaint(await nopeekHere(folder, ...on, "--out", "on", "--unknown", "byte"), 1, "use drop");
  expectComplaint(
    await nopeekHere(folder, ...on, "--out", "on", "--layers", 3),
    2,
    "--from keeps the model",
    "--layers",
  );
  expectComplaint(
    await nopeekHere(folder, "train", "--from", "first", "--out", "on"),
    2,
    "name it with --data",
  );

  const { stderr } = await succeedHere(folder, ...on, "--out", "on", "--unknown", "drop");
  expect(stderr).toContain("characters unknown to the model were dropped");
  expect(stderr).toContain("fine-tunes  first: its best step, ");
  // The initial model is saved at once.
  expect(weights("on", "step-000000").equals(weights("first", "step-000006"))).toBe(true);
  expect(weights("on", "step-000004").equals(weights("first", "step-000006"))).toBe(false);

  writeFileSync(join(folder, "on", "latest"), "step-000000\n");
  const last = weights("on", "step-000004");
  writeFileSync(join(folder, "on", "step-000004", "model.safetensors"), "");
  await succeedHere(folder, "train", "--resume", "--out", "on");
  expect(weights("on", "step-000004").equals(last)).toBe(true);
  await succeedHere(folder, "train", "--config", "on/config.json", "--out", "again");
  expect(weights("again", "step-000004").equals(last)).toBe(true);
});
