/** Training without a preset: what is chosen, announced, recorded and repeated. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveSettings, type Settings } from "../../../../src/config/settings.ts";
import { runConfigFromJSON } from "../../../../src/run/config.ts";
import { RunDirectory, readRunConfig } from "../../../../src/run/on-disk.ts";
import { formatCount } from "../../../../src/util/format.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolderWithText } from "../../../support/program.ts";

const { folder } = makeFolderWithText(400);
const train = (...words: readonly (string | number)[]) =>
  nopeekHere(folder, "train", "--data", "text.txt", "--threads", 1, ...words);

function settingsOf(run: string): Settings {
  return runConfigFromJSON(readRunConfig(join(folder, run)), run).settings;
}

const weightsOf = (run: string) => RunDirectory.open(join(folder, run)).loadStep("latest").model;

describe("nopeek train without a preset", () => {
  it("fits a model to the text and to --minutes, announces it, and --config repeats it bit for bit", async () => {
    const first = await train("--minutes", 0.002, "--out", "fitted");
    expect(first.code, first.stderr).toBe(0);
    const { layers, dModel, contextLength, batchSize, steps, ...recipe } = settingsOf("fitted");
    expect(recipe).toMatchObject({
      optimizer: "muon",
      positions: "rotary",
      activation: "swiglu",
      bigram: true,
    });
    expect(first.stderr).toMatch(
      new RegExp(
        `^defaults    for a text of [\\d.]+ kB: ${layers} layers?, ${dModel} channels, context ${contextLength}, ${steps} steps? of ${formatCount(batchSize * contextLength)} tokens, about \\d.*; --preset and flags override$`,
        "m",
      ),
    );
    const again = await nopeekHere(
      folder,
      "train",
      "--config",
      "fitted/config.json",
      "--threads",
      1,
      "--out",
      "again",
    );
    expect(again.stderr).not.toContain("defaults    ");
    expect(settingsOf("again")).toEqual(settingsOf("fitted"));
    expect(weightsOf("again")).toEqual(weightsOf("fitted"));
  });

  it("keeps what is given, and times nothing if the steps are given", async () => {
    const words = ["--steps", 2, "--layers", 3, "--learning-rate", 0.002, "--optimizer", "adamw"];
    const run = await train(...words, "--out", "given");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/^defaults .* 3 layers, .* 2 steps of [\d,]+ tokens; --preset/m);
    expect(settingsOf("given")).toMatchObject({
      steps: 2,
      layers: 3,
      learningRate: 0.002,
      optimizer: "adamw",
    });
    await train(...words, "--out", "same");
    expect(weightsOf("same")).toEqual(weightsOf("given"));
  });

  it("fits the context to a text shorter than a hundred windows", async () => {
    writeFileSync(join(folder, "short.txt"), "a tiny text, one line long\nand another one to end\n");
    const run = await nopeekHere(
      folder,
      "train",
      "--data",
      "short.txt",
      "--steps",
      2,
      "--threads",
      1,
      "--out",
      "short",
    );
    expect(run.code, run.stderr).toBe(0);
    expect(settingsOf("short").contextLength).toBe(4);
  });

  it("fits an encoder too", async () => {
    const run = await train("--model", "encoder", "--steps", 2, "--out", "encoder");
    expect(run.code, run.stderr).toBe(0);
    expect(settingsOf("encoder")).toMatchObject({ model: "encoder", optimizer: "muon", bigram: false });
  });

  it("leaves a preset as it is", async () => {
    await train("--preset", "gpt2-style", "--steps", 0, "--layers", 1, "--d-model", 8, "--out", "preset");
    expect(settingsOf("preset")).toEqual(resolveSettings({ steps: 0, layers: 1, dModel: 8 }));
  });

  it.each([
    ["zero", ["--minutes", 0], "--minutes must be more than 0: got 0"],
    ["steps too", ["--minutes", 1, "--steps", 5], "both set the length of the run"],
    ["a preset too", ["--minutes", 1, "--preset", "tiny"], "it takes no --preset"],
    ["a run that is resumed", ["--minutes", 1, "--resume", "--out", "fitted"], "it takes no --preset"],
  ])("refuses --minutes with %s", async (_, words, message) => {
    const { code, stderr } = await train(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
