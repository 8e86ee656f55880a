/** Folders of models from elsewhere, for tests of the import: GPT-2 and Llama, whole, changed, or in several files. */
import { GPT2_STYLE, type GPTConfig } from "../../src/nn/config.ts";
import type { MemoryFiles } from "../../src/run/memory-files.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/run/safetensors.ts";
import { FOLDER, foreignFolder, randomWeights, TOKENIZER, writeJSON } from "./foreign-folder.ts";

export const SIZES = {
  vocabSize: TOKENIZER.vocabSize,
  contextLength: 7,
  layers: 2,
  heads: 2,
  dModel: 8,
} as const;
export const GPT: GPTConfig = { ...GPT2_STYLE, ...SIZES, dropout: 0, attention: "fused" };
export const RMS: GPTConfig = { ...GPT, positions: "rotary", norm: "rms", activation: "swiglu", bias: false };
export const LLAMA_SIZES = {
  vocab_size: SIZES.vocabSize,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 7,
  rms_norm_eps: 1e-5,
};
export const GPT2_FIELDS = {
  model_type: "gpt2",
  vocab_size: SIZES.vocabSize,
  n_embd: 8,
  n_head: 2,
  n_layer: 2,
  n_positions: 7,
  activation_function: "gelu",
};
export const WIDE: GPTConfig = {
  ...RMS,
  kvHeads: 1,
  headSize: 6,
  mlpWidth: 13,
  normEpsilon: 1e-6,
  ropeBase: 500,
  tieHead: false,
};
export const WIDE_FIELDS = {
  ...LLAMA_SIZES,
  ...{ num_key_value_heads: 1, head_dim: 6, intermediate_size: 13, rms_norm_eps: 1e-6 },
};

export const gpt2 = (fields: Record<string, unknown> = {}) =>
  foreignFolder("GPT2", GPT, randomWeights(GPT), { ...GPT2_FIELDS, ...fields });
export const llama = (fields: Record<string, unknown> = {}) =>
  foreignFolder("Llama", WIDE, randomWeights(WIDE), {
    ...WIDE_FIELDS,
    model_type: "llama",
    rope_theta: 500,
    ...fields,
  });

export function tensorsOf(files: MemoryFiles): Map<string, StoredTensor> {
  return new Map(decodeSafetensors(files.read(`${FOLDER}/model.safetensors`), "x").tensors);
}

export function withTensors(files: MemoryFiles, tensors: ReadonlyMap<string, StoredTensor>): MemoryFiles {
  files.write(`${FOLDER}/model.safetensors`, encodeSafetensors(tensors));
  return files;
}

/** Two files; `misplaced` says where the index wrongly places some tensors. */
export function sharded(misplaced: Readonly<Record<string, string>>): MemoryFiles {
  const files = gpt2();
  const tensors = [...tensorsOf(files)];
  files.remove(`${FOLDER}/model.safetensors`);
  const map = new Map<string, string>();
  for (const [number, part] of [tensors.slice(0, 9), tensors.slice(9)].entries()) {
    files.write(`${FOLDER}/model-${number}.safetensors`, encodeSafetensors(new Map(part)));
    for (const [name] of part) map.set(name, `model-${number}.safetensors`);
  }
  writeJSON(files, "model.safetensors.index.json", {
    weight_map: { ...Object.fromEntries(map), ...misplaced },
  });
  return files;
}
