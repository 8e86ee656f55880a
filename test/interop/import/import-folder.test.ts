import { describe, expect, it } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import type { ArchitectureName } from "../../../src/interop/architecture.ts";
import { toBfloat16, toFloat16 } from "../../../src/interop/half-floats.ts";
import { importFolder, saveImported } from "../../../src/interop/import/import-folder.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { readSavedModel } from "../../../src/run/saved-model.ts";
import { messageOfA } from "../../support/errors.ts";
import { FOLDER, foreignFolder, randomWeights, TOKENIZER } from "../../support/foreign-folder.ts";
import {
  GPT,
  GPT2_FIELDS,
  gpt2,
  LLAMA_SIZES,
  RMS,
  sharded,
  tensorsOf,
  WIDE,
  WIDE_FIELDS,
  withTensors,
} from "../../support/foreign-models.ts";

const messageOf = messageOfA(NopeekError);

const MODELS: readonly (readonly [string, ArchitectureName, GPTConfig, Record<string, unknown>])[] = [
  ["GPT-2", "GPT2", GPT, GPT2_FIELDS],
  [
    "GPT-2, tanh",
    "GPT2",
    { ...GPT, activation: "gelu-tanh", mlpWidth: 11 },
    { ...GPT2_FIELDS, activation_function: "gelu_new", n_inner: 11 },
  ],
  [
    "GPT-NeoX",
    "GPTNeoX",
    { ...GPT, positions: "rotary", tieHead: false },
    {
      ...LLAMA_SIZES,
      rms_norm_eps: undefined,
      ...{ model_type: "gpt_neox", use_parallel_residual: false, rotary_pct: 1, intermediate_size: 32 },
    },
  ],
  [
    "Llama",
    "Llama",
    WIDE,
    {
      ...WIDE_FIELDS,
      model_type: "llama",
      rope_theta: 500,
      rope_parameters: { rope_type: "default", rope_theta: 500 },
    },
  ],
  [
    "Qwen3",
    "Qwen3",
    { ...WIDE, qkNorm: true, qkNormWeights: true },
    { ...WIDE_FIELDS, model_type: "qwen3", rope_theta: 500, use_sliding_window: false, sliding_window: 3 },
  ],
  ["Qwen2", "Llama", { ...WIDE, bias: true }, { ...WIDE_FIELDS, model_type: "qwen2", rope_theta: 500 }],
  [
    "Arcee",
    "Arcee",
    { ...WIDE, activation: "relu2" },
    { ...WIDE_FIELDS, model_type: "arcee", rope_theta: 500 },
  ],
  [
    "SmolLM3",
    "SmolLM3",
    { ...WIDE, positions: "none", ropeBase: 2e6 },
    { ...WIDE_FIELDS, model_type: "smollm3", tie_word_embeddings: false, no_rope_layers: [0, 0] },
  ],
  [
    "OLMo",
    "OLMo",
    { ...WIDE, norm: "layer", normWeights: false, normEpsilon: 1e-5 },
    { ...WIDE_FIELDS, model_type: "olmo", rope_theta: 500, rms_norm_eps: undefined },
  ],
];

describe("importFolder", () => {
  it.each(MODELS)("reads %s: the same settings, the same bits", (_, name, config, fields) => {
    const weights = randomWeights(config);
    const model = importFolder(FOLDER, foreignFolder(name, config, weights, fields));
    const { settings, tokenizer, corpus } = model.config;
    expect(model.tensors).toEqual(weights);
    const { vocabSize, attention, dropout, ...options } = config;
    expect(settings).toMatchObject(options);
    expect(tokenizer.toJSON()).toEqual(TOKENIZER.toJSON());
    expect(corpus).toBe(null);
    expect(model.remarks).toEqual([]);
  });

  it("reads what transformers writes without the model's name, and what torch.compile puts before", () => {
    const plain = new Map(
      [...tensorsOf(gpt2())].map(([name, tensor]) => [name.replace("transformer.", ""), tensor]),
    );
    const compiled = new Map([...tensorsOf(gpt2())].map(([name, tensor]) => [`_orig_mod.${name}`, tensor]));
    for (const tensors of [plain, compiled])
      expect(importFolder(FOLDER, withTensors(gpt2(), tensors)).tensors).toEqual(randomWeights(GPT));
  });

  it("ignores masks and angles, and the head that transformers ties", () => {
    const tensors = tensorsOf(gpt2());
    const mask = { shape: [1, 1, 7, 7], values: new Float32Array(49) };
    tensors.set("transformer.h.0.attn.bias", mask).set("transformer.h.0.attn.masked_bias", mask);
    tensors.set("transformer.h.0.attn.rotary_emb.inv_freq", mask);
    tensors.set("lm_head.weight", { shape: [12, 8], values: new Float32Array(96) });
    expect(importFolder(FOLDER, withTensors(gpt2(), tensors)).tensors).toEqual(randomWeights(GPT));
  });

  it("reads nanoGPT's weights, which are transposed", () => {
    const tensors = new Map(
      [...tensorsOf(gpt2())].map(([name, tensor]) => [
        name,
        /(?:attn|mlp)\..*weight$/.test(name) ? transposed(tensor) : tensor,
      ]),
    );
    expect(importFolder(FOLDER, withTensors(gpt2(), tensors)).tensors).toEqual(randomWeights(GPT));
  });

  it("reads several files, placed by an index", () => {
    expect(importFolder(FOLDER, sharded({})).tensors).toEqual(randomWeights(GPT));
  });

  it.each([
    ["F16", (values: Float32Array) => toFloat16(values)],
    ["BF16", (values: Float32Array) => toBfloat16(values)],
  ])("reads %s", (dtype, convert) => {
    const files = gpt2();
    const tensors = tensorsOf(files);
    const rounded = [...tensors].map(([name, { shape, values }]) => ({ name, shape, bits: convert(values) }));
    files.write(`${FOLDER}/model.safetensors`, halfFile(rounded, dtype));
    const { tensors: own, config } = importFolder(FOLDER, files);
    expect(config.origin?.numbers).toEqual([dtype]);
    for (const [name, { values }] of randomWeights(GPT))
      for (const [i, value] of (own.get(name)?.values ?? []).entries())
        expect(value).toBeCloseTo(values[i], 2);
  });

  it("becomes a run that loads, and remembers where it came from", () => {
    const files = gpt2();
    saveImported("/run", importFolder(FOLDER, files), files);
    const saved = readSavedModel("/run", undefined, files);
    expect(saved.files.step).toBe(0);
    expect(saved.files.tensors).toEqual(randomWeights(GPT));
    expect(saved.config.origin).toEqual({ folder: "model", modelType: "gpt2", numbers: ["F32"] });
  });

  it.each([
    ["llama", "Llama", 1e-6, {}],
    ["mistral", "Llama", 1e-6, {}],
    ["qwen2", "Llama", 1e-6, {}],
    ["qwen3", "Qwen3", 1e-6, {}],
    ["olmo", "OLMo", 1e-5, { num_key_value_heads: 2, head_dim: 4, intermediate_size: 24 }],
  ] as const)(
    "gives %s the epsilon of its class where config.json has none",
    (type, name, epsilon, fields) => {
      const config: GPTConfig =
        name === "OLMo"
          ? { ...RMS, norm: "layer", normWeights: false, tieHead: false }
          : { ...WIDE, ...(name === "Qwen3" && { qkNorm: true, qkNormWeights: true }) };
      const files = foreignFolder(name, config, randomWeights(config), {
        ...WIDE_FIELDS,
        ...{ model_type: type, rope_theta: 500, rms_norm_eps: undefined, ...fields },
      });
      expect(importFolder(FOLDER, files).config.settings.normEpsilon).toBe(epsilon);
    },
  );

  it.each([
    ["mistral", {}, 4096],
    ["mistral", { sliding_window: null }, 5000],
    ["mistral", { sliding_window: 100 }, 100],
    ["qwen2", {}, 5000],
    ["qwen2", { use_sliding_window: true }, 4096],
    ["qwen2", { sliding_window: 100 }, 5000],
    ["qwen2", { sliding_window: 100, layer_types: ["full_attention", "sliding_attention"] }, 100],
  ])("%s with %j sees %i of 5,000 tokens", (model_type, fields, length) => {
    const files = foreignFolder("Llama", WIDE, randomWeights(WIDE), {
      ...WIDE_FIELDS,
      ...{ model_type, rope_theta: 500, max_position_embeddings: 5000, ...fields },
    });
    expect(importFolder(FOLDER, files).config.settings.contextLength).toBe(length);
  });

  it("limits the context of a model with more positions than are supported", () => {
    const files = foreignFolder("Llama", WIDE, randomWeights(WIDE), {
      ...WIDE_FIELDS,
      ...{ model_type: "llama", rope_theta: 500, max_position_embeddings: 131_072 },
    });
    const { config, remarks } = importFolder(FOLDER, files);
    expect(config.settings.contextLength).toBe(65_536);
    expect(remarks).toEqual(["the context is 65536 tokens, the most that is supported, not 131072"]);
    expect(importFolder(FOLDER, files, { contextLength: 64 }).remarks).toEqual([]);
  });

  it("shortens the context to what a window sees, or to a given length", () => {
    const files = foreignFolder("Llama", WIDE, randomWeights(WIDE), {
      ...WIDE_FIELDS,
      ...{ model_type: "mistral", rope_theta: 500, sliding_window: 4 },
    });
    const model = importFolder(FOLDER, files);
    expect(model.config.settings.contextLength).toBe(4);
    expect(model.remarks[0]).toContain("the context is 4 tokens, not 7");
    const shorter = importFolder(FOLDER, gpt2(), { contextLength: 5 });
    expect(shorter.tensors.get("positionEmbedding")?.shape).toEqual([5, 8]);
    expect(messageOf(() => importFolder(FOLDER, gpt2(), { contextLength: 9 }))).toContain("at most 7");
  });

  it("reads an unknown field if it is off, or if it is named as harmless", () => {
    expect(importFolder(FOLDER, gpt2({ new_trick: false })).remarks).toEqual([]);
    expect(importFolder(FOLDER, gpt2({ note: 7 }), { ignoreFields: ["note"] }).remarks).toEqual([]);
  });
});

function transposed({ shape: [rows, columns], values }: StoredTensor): StoredTensor {
  const turned = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  return { shape: [columns, rows], values: turned };
}

function halfFile(
  tensors: readonly { name: string; shape: readonly number[]; bits: Uint16Array }[],
  dtype: string,
): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape, bits }) => {
    const from = end;
    end += bits.byteLength;
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { bits } of tensors) {
    bytes.set(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength), at);
    at += bits.byteLength;
  }
  return bytes;
}
