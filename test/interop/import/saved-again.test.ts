/** Runs whose model.safetensors Python wrote again: other order, metadata and padding, or other numbers. */
import { describe, expect, it } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import { importFolder, saveImported } from "../../../src/interop/import/import-folder.ts";
import { GPT2_STYLE, type GPTConfig } from "../../../src/nn/config.ts";
import type { MemoryFiles } from "../../../src/run/memory-files.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../../src/run/safetensors.ts";
import { readSavedModel } from "../../../src/run/saved-model.ts";
import { messageOfA } from "../../support/errors.ts";
import { FOLDER, foreignFolder, randomWeights, TOKENIZER } from "../../support/foreign-folder.ts";

const messageOf = messageOfA(NopeekError);
const SIZES = { vocabSize: TOKENIZER.vocabSize, contextLength: 7, layers: 2, heads: 2, dModel: 8 } as const;
const CONFIG: GPTConfig = { ...GPT2_STYLE, ...SIZES, dropout: 0, attention: "fused" };
const WEIGHTS = "/run/step-000000/model.safetensors";

/** A run, with what `change` makes of its weights. */
function changedRun(
  change: (tensors: Map<string, StoredTensor>) => Iterable<[string, StoredTensor]>,
): MemoryFiles {
  const files = foreignFolder("GPT2", CONFIG, randomWeights(CONFIG), {
    ...{
      model_type: "gpt2",
      vocab_size: TOKENIZER.vocabSize,
      n_embd: 8,
      n_head: 2,
      n_layer: 2,
      n_positions: 7,
    },
    activation_function: "gelu",
  });
  saveImported("/run", importFolder(FOLDER, files), files);
  const { tensors } = decodeSafetensors(files.read(WEIGHTS, 1e6), WEIGHTS);
  files.write(WEIGHTS, encodeSafetensors(new Map(change(new Map(tensors))), { format: "pt" }));
  return files;
}

describe("a run that was saved again", () => {
  // safetensors in Python sorts tensors by type and name, and writes its own metadata.
  const sorted = (tensors: Map<string, StoredTensor>) => [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));

  it("is damaged to other commands, and read by import, which says so", () => {
    const files = changedRun(sorted);
    expect(messageOf(() => readSavedModel("/run", undefined, files))).toContain("is damaged: its SHA-256");
    const model = importFolder("/run", files);
    expect(model.tensors).toEqual(randomWeights(CONFIG));
    expect(model.config.origin).toEqual({ folder: "run", modelType: "nopeek", numbers: ["F32"] });
    expect(model.remarks[0]).toContain("is not the file that the run saved: its SHA-256 differs");
    saveImported("/again", model, files);
    expect(readSavedModel("/again", undefined, files).files.tensors).toEqual(randomWeights(CONFIG));
  });

  it("is read with the names that tensors had in earlier versions", () => {
    const earlier = (name: string) =>
      name.replace("mlp.up.", "mlp.expand.").replace("mlp.down.", "mlp.contract.");
    const files = changedRun((tensors) => [...tensors].map(([name, tensor]) => [earlier(name), tensor]));
    expect(importFolder("/run", files).tensors).toEqual(randomWeights(CONFIG));
  });

  it("is refused if its state is damaged, whatever its weights are", () => {
    const files = changedRun(sorted);
    const state = "/run/step-000000/state.json";
    const text = new TextDecoder().decode(files.read(state, 1e6));
    files.write(state, new TextEncoder().encode(text.replace('"step": 0', '"step": 1')));
    expect(messageOf(() => importFolder("/run", files))).toContain("state.json: is damaged");
  });

  it.each<[string, Parameters<typeof changedRun>[0], string]>([
    ["lacks a tensor", (tensors) => sorted(tensors).slice(1), "it is missing"],
    [
      "holds another tensor",
      (tensors) => tensors.set("extra", { shape: [1], values: Float32Array.of(1) }),
      '"extra"',
    ],
    [
      "has another shape",
      (tensors) => tensors.set("finalNorm.bias", { shape: [1], values: Float32Array.of(1) }),
      "of shape (8): got (1)",
    ],
    [
      "holds no numbers",
      (tensors) =>
        tensors.set("finalNorm.bias", { shape: [8], values: new Float32Array(8).fill(Number.NaN) }),
      "holds NaN",
    ],
  ])("is refused if it %s", (_, change, reason) => {
    expect(messageOf(() => importFolder("/run", changedRun(change)))).toContain(reason);
  });

  it("has nothing to import if it is whole", () => {
    const files = changedRun((tensors) => tensors);
    const whole = importFolder("/run", files);
    saveImported("/whole", whole, files);
    expect(messageOf(() => importFolder("/whole", files))).toContain("is a run of nopeek already");
  });
});
