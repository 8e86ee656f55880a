/** Importing by the program: an exported model comes back with its bits, and is used like any run. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { portableModel } from "../../../../src/interop/portable-model.ts";
import { nodeFiles } from "../../../../src/run/node-files.ts";
import { readSavedModel } from "../../../../src/run/saved-model.ts";
import { nopeekHere, succeedHere, succeedInJsonHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolderWithText, succeed, TRAIN } from "../../../support/program.ts";

const { folder, at } = makeFolderWithText(3000);
const GREEDY = ["--prompt", "ab", "--tokens", 20, "--strategy", "greedy"] as const;

/** Trains, exports and imports a model. Returns what the last of these prints to a person. */
async function roundTrip(name: string, ...settings: readonly (string | number)[]): Promise<string> {
  await succeedHere(folder, ...TRAIN, "--out", name, "--steps", 3, ...settings);
  await succeedHere(folder, "export", name, "--format", "hf", "--out", `${name}-hf`);
  return (await succeed(folder, "import", `${name}-hf`, "--out", `${name}-back`)).stderr;
}

const read = (name: string) => readSavedModel(at(name), undefined, nodeFiles);
const tensorsOf = (name: string) => Object.fromEntries(portableModel(read(name)).tensors);

const said = await roundTrip("run");

describe("nopeek import", () => {
  it("says what it read, and what to do next", () => {
    expect(said).toMatch(/^model {7}gpt2: 1 layers?, .* parameters, from F32$/m);
    expect(said).toMatch(/^vocabulary .* tokens, char$/m);
    expect(said).toMatch(/^saved in {4}run-back$/m);
    expect(said).toMatch(/^next {8}npx nopeek sample run-back --prompt/m);
  });

  it.each([
    ["characters", "run", []],
    ["byte pairs", "pairs", ["--tokenizer", "bpe", "--vocab-size", 270, "--documents", "lines"]],
    ["Llama's options", "llama", ["--preset", "llama-style", "--layers", 1, "--heads", 2, "--d-model", 8]],
  ])("gives back the bits of an export, of a model with %s", async (_, name, settings) => {
    if (name !== "run") await roundTrip(name, ...settings);
    expect(read(`${name}-back`).config.tokenizer.toJSON()).toEqual(read(name).config.tokenizer.toJSON());
    expect(tensorsOf(`${name}-back`)).toEqual(tensorsOf(name));
    const first = await succeedHere(folder, "sample", name, ...GREEDY);
    const second = await succeedHere(folder, "sample", `${name}-back`, ...GREEDY);
    expect(second.stdout).toBe(first.stdout);
  });

  it("makes a run that is listed, evaluated, verified and fine-tuned", async () => {
    const [listed] = await succeedInJsonHere(folder, "runs", "run-back");
    expect(listed).toMatchObject({ status: "imported", step: 0, steps: 0 });
    expect((await succeedHere(folder, "runs", "run-back")).stdout).toMatch(
      /run-back +– +– +– +– .*imported$/m,
    );
    await succeedHere(folder, "eval", "run-back", "--data", "text.txt");
    await succeedHere(folder, "verify", "run-back");
    await succeedHere(
      folder,
      "train",
      "--from",
      "run-back",
      "--data",
      "text.txt",
      "--steps",
      1,
      "--out",
      "tuned",
    );
    const outcome = await nopeekHere(folder, "train", "--out", "run-back", "--resume");
    expectComplaint(outcome, 2, "was imported, so there is no training to resume", "--from run-back");
  });

  it("shortens the context on demand, and never lengthens it", async () => {
    const short = ["import", "run-hf", "--context-length", 4, "--out", "short"];
    await succeedHere(folder, ...short);
    expect(read("short").config.settings.contextLength).toBe(4);
    const outcome = await nopeekHere(folder, "import", "run-hf", "--context-length", 4000);
    expectComplaint(outcome, 1, "--context-length may be at most");
  });

  it("writes nothing if it refuses a model", async () => {
    expectComplaint(await nopeekHere(folder, "import", "run-hf", "--out", "run-back"), 1, "run-back");
    await succeedHere(folder, "export", "run", "--format", "hf", "--out", "broken");
    const config = JSON.parse(readFileSync(at("broken", "config.json"), "utf8"));
    writeFileSync(at("broken", "config.json"), JSON.stringify({ ...config, new_trick: 3 }));
    const before = readdirSync(folder);
    const unknown = await nopeekHere(folder, "import", "broken", "--out", "never");
    expectComplaint(unknown, 1, "does not know the field `new_trick` 3", "name it with --ignore-fields");
    rmSync(at("broken", "model.safetensors"));
    expectComplaint(await nopeekHere(folder, "import", "broken", "--out", "never"), 1, "model.safetensors");
    expect(readdirSync(folder)).toEqual(before);
  });
});
