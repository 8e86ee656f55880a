/** Mutants of the export for Hugging Face's transformers. */
import type { Mutant } from "./list.ts";

const maps = ["test/interop/maps/maps.test.ts"];
const layouts = ["test/interop/maps/layouts.test.ts", ...maps];
const config = {
  file: "src/interop/hugging-face/config-json.ts",
  tests: ["test/interop/hugging-face/export.test.ts"],
};

export const huggingFace: readonly Mutant[] = [
  {
    promise: "Hugging Face: keys and values are not exchanged",
    file: "src/interop/maps/llama.ts",
    line: '...linear("self_attn.k_proj", "attention.key"),\n    ...linear("self_attn.v_proj", "attention.value"),',
    broken:
      '...linear("self_attn.v_proj", "attention.key"),\n    ...linear("self_attn.k_proj", "attention.value"),',
    tests: maps,
  },
  {
    promise: "Hugging Face: Conv1D is not transposed",
    file: "src/interop/maps/gpt2.ts",
    line: "attention.output`, CONV1D)",
    broken: "attention.output`)",
    tests: maps,
  },
  {
    promise: "Hugging Face: Linear is transposed",
    file: "src/interop/maps/rules.ts",
    line: "export const LINEAR = { weight: TRANSPOSED, bias: SAME };",
    broken: "export const LINEAR = { weight: SAME, bias: SAME };",
    tests: maps,
  },
  {
    promise: "Hugging Face: GPT-NeoX's queries, keys and values are joined head by head",
    file: "src/interop/maps/layouts.ts",
    line: "own.map((tensor) => widthOf(tensor) / heads),",
    broken: "own.map((tensor) => widthOf(tensor)),",
    tests: layouts,
  },
  {
    promise: "Hugging Face: a tied head is not stored twice",
    file: "src/interop/maps/llama.ts",
    line: '...(config.tieHead ? [] : [weightRule("lm_head", "head")]),',
    broken: 'weightRule("lm_head", config.tieHead ? "tokenEmbedding" : "head"),',
    tests: maps,
  },
  {
    promise: "Hugging Face: config.json says whether the head is tied",
    ...config,
    line: 'tie_word_embeddings: config.tieHead && name !== "VaultGemma",',
    broken: "tie_word_embeddings: true,",
  },
  {
    promise: "Hugging Face: RMSNorm has the model's epsilon",
    ...config,
    line: "rms_norm_eps: new Float(config.normEpsilon),",
    broken: "rms_norm_eps: new Float(1e-5),",
  },
  {
    promise: "Hugging Face: LayerNorm has the model's epsilon",
    ...config,
    line: "layer_norm_epsilon: new Float(config.normEpsilon),",
    broken: "layer_norm_epsilon: new Float(1e-5),",
  },
  {
    promise: "Hugging Face: the rope base is the model's, for version 4",
    ...config,
    line: "return { rope_theta: base, rope_parameters:",
    broken: "return { rope_parameters:",
  },
  {
    promise: "Hugging Face: the rope base is the model's, for version 5",
    ...config,
    line: 'rope_parameters: { rope_type: "default", rope_theta: base, ...more }',
    broken: 'rope_parameters: { rope_type: "default", rope_theta: new Float(10_000), ...more }',
  },
  {
    promise: "Hugging Face: the end token ends a text",
    ...config,
    line: "eos_token_id: endOfText,",
    broken: "eos_token_id: null,",
  },
  {
    promise: "Hugging Face: a model without an end token has none",
    ...config,
    line: "return { bos_token_id: endOfText, eos_token_id: endOfText, pad_token_id: endOfText };",
    broken:
      "return endOfText === null ? {} : { bos_token_id: endOfText, eos_token_id: endOfText, pad_token_id: endOfText };",
  },
  {
    promise: "Hugging Face: floats have a decimal point",
    file: "src/interop/json-floats.ts",
    line: "/[.e]/.test(text)",
    broken: "true",
    tests: ["test/interop/json-floats.test.ts", ...config.tests],
  },
  {
    promise: "float16: halfway cases are rounded to even",
    file: "src/interop/half-floats.ts",
    line: "(rest === half && (kept & 1) === 1)",
    broken: "rest === half",
    tests: ["test/interop/half-floats.test.ts"],
  },
];
