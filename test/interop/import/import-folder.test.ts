import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import type { ArchitectureName } from "../../../src/interop/architecture.ts";
import { toBfloat16, toFloat16 } from "../../../src/interop/half-floats.ts";
import { importFolder, saveImported } from "../../../src/interop/import/import-folder.ts";
import { GPT2_STYLE, type GPTConfig } from "../../../src/nn/config.ts";
import type { MemoryFiles } from "../../../src/run/memory-files.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../../src/run/safetensors.ts";
import { readSavedModel } from "../../../src/run/saved-model.ts";
import { messageOfA } from "../../support/errors.ts";
import { FOLDER, foreignFolder, randomWeights, TOKENIZER, writeJSON } from "../../support/foreign-folder.ts";

const messageOf = messageOfA(NopeekError);
const SIZES = { vocabSize: TOKENIZER.vocabSize, contextLength: 7, layers: 2, heads: 2, dModel: 8 } as const;
const GPT: GPTConfig = { ...GPT2_STYLE, ...SIZES, dropout: 0, attention: "fused" };
const RMS: GPTConfig = { ...GPT, positions: "rotary", norm: "rms", activation: "swiglu", bias: false };
const LLAMA_SIZES = {
  vocab_size: SIZES.vocabSize,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 7,
  rms_norm_eps: 1e-5,
};
const GPT2_FIELDS = {
  model_type: "gpt2",
  vocab_size: SIZES.vocabSize,
  n_embd: 8,
  n_head: 2,
  n_layer: 2,
  n_positions: 7,
  activation_function: "gelu",
};
const WIDE: GPTConfig = {
  ...RMS,
  kvHeads: 1,
  headSize: 6,
  mlpWidth: 13,
  normEpsilon: 1e-6,
  ropeBase: 500,
  tieHead: false,
};
const WIDE_FIELDS = {
  ...LLAMA_SIZES,
  ...{ num_key_value_heads: 1, head_dim: 6, intermediate_size: 13, rms_norm_eps: 1e-6 },
};

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

const gpt2 = (fields: Record<string, unknown> = {}) =>
  foreignFolder("GPT2", GPT, randomWeights(GPT), { ...GPT2_FIELDS, ...fields });
const llama = (fields: Record<string, unknown> = {}) =>
  foreignFolder("Llama", WIDE, randomWeights(WIDE), {
    ...WIDE_FIELDS,
    model_type: "llama",
    rope_theta: 500,
    ...fields,
  });
const refused = (files: MemoryFiles) => messageOf(() => importFolder(FOLDER, files));

function tensorsOf(files: MemoryFiles): Map<string, StoredTensor> {
  return new Map(decodeSafetensors(files.read(`${FOLDER}/model.safetensors`), "x").tensors);
}

function withTensors(files: MemoryFiles, tensors: ReadonlyMap<string, StoredTensor>): MemoryFiles {
  files.write(`${FOLDER}/model.safetensors`, encodeSafetensors(tensors));
  return files;
}

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

  it.each([
    [{ scale_attn_by_inverse_layer_idx: true }, "`scale_attn_by_inverse_layer_idx` must be false"],
    [{ scale_attn_weights: false }, "`scale_attn_weights` must be true"],
    [{ activation_function: "relu" }, "`activation_function` must be gelu or gelu_new"],
    [{ add_cross_attention: true }, "`add_cross_attention`"],
    [{ logit_scale: 2 }, "the field `logit_scale` 2"],
    [{ quantization_config: { bits: 4 } }, "quantized"],
    [{ model_type: "bert" }, '`model_type` "bert" cannot be imported; these can: GPT-2'],
    [{ n_head: -1 }, "`n_head` must be a whole number ≥ 1"],
    [{ n_layer: 1e9 }, "layers"],
    [{ n_positions: 65_536, n_embd: 65_536, n_head: 1 }, "parameters"],
  ])("refuses GPT-2 with %o", (fields, reason) => {
    expect(refused(gpt2(fields))).toContain(reason);
  });

  it.each([
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, "`rope_type` must be"],
    [{ rope_scaling: { type: "linear", factor: 2 } }, "`rope_type` must be"],
    [{ rope_parameters: { rope_type: "yarn" } }, "`rope_type` must be"],
    [{ partial_rotary_factor: 0.5 }, "`partial_rotary_factor` must be 1"],
    [{ rope_parameters: { rope_theta: 7 } }, "`rope_theta` must be 7"],
    [{ hidden_act: "gelu" }, '`hidden_act` must be "silu"'],
    [{ attn_logit_softcapping: 30 }, "the field `attn_logit_softcapping`"],
  ])("refuses Llama with %o", (fields, reason) => {
    expect(refused(llama(fields))).toContain(reason);
  });

  it("reads an unknown field if it is off, or if it is named as harmless", () => {
    expect(importFolder(FOLDER, gpt2({ new_trick: false })).remarks).toEqual([]);
    expect(importFolder(FOLDER, gpt2({ note: 7 }), { ignoreFields: ["note"] }).remarks).toEqual([]);
  });

  it("names a tensor that is missing, strange, of another shape, or not finite", () => {
    const change = (edit: (tensors: Map<string, StoredTensor>) => void) => {
      const tensors = tensorsOf(gpt2());
      edit(tensors);
      return refused(withTensors(gpt2(), tensors));
    };
    const name = "transformer.h.1.mlp.c_fc.weight";
    expect(change((tensors) => tensors.delete(name))).toContain(`the tensor "${name}" is missing`);
    expect(change((tensors) => tensors.delete("transformer.wpe.weight"))).toContain("is missing");
    expect(change((tensors) => tensors.set("x.y", { shape: [1], values: new Float32Array(1) }))).toContain(
      '"x.y"',
    );
    expect(change((tensors) => tensors.set(name, { shape: [8, 2], values: new Float32Array(16) }))).toContain(
      `"${name}" should be (8, 32): got (8, 2)`,
    );
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(change((tensors) => tensors.get(name)?.values.fill(value, 5, 6))).toContain(
        `"${name}" holds ${value} at position 5`,
      );
  });

  it.each([
    ["../secret.safetensors", "which is not the name of a file beside it"],
    ["/etc/passwd", "which is not the name of a file beside it"],
    ["a/b.safetensors", "which is not the name of a file beside it"],
    ["model.safetensors.index.json", "which is not the name of a file beside it"],
    ["model-9.safetensors", "places in"],
    ["model-1.safetensors", "places in"],
  ])("refuses an index that places a tensor in %s", (place, reason) => {
    expect(refused(sharded({ "transformer.wpe.weight": place }))).toContain(reason);
  });

  it("refuses pickles, runs of nopeek, and folders without a tokenizer", () => {
    const pickled = gpt2();
    pickled.rename(`${FOLDER}/model.safetensors`, `${FOLDER}/pytorch_model.bin`);
    expect(refused(pickled)).toContain("is a pickle");
    const silent = gpt2();
    silent.remove(`${FOLDER}/tokenizer.json`);
    expect(refused(silent)).toContain("has no tokenizer.json");
    const run = gpt2();
    saveImported("/run", importFolder(FOLDER, run), run);
    expect(messageOf(() => importFolder("/run", run))).toContain("is a run of nopeek already");
    const twice = gpt2();
    twice.write(`${FOLDER}/config.json`, new TextEncoder().encode('{"n_head": 1, "n_head": 2}'));
    expect(refused(twice)).toContain("twice in one object");
    const deep = gpt2();
    deep.write(
      `${FOLDER}/config.json`,
      new TextEncoder().encode(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
    );
    expect(refused(deep)).toContain("nests too deep");
    expect(messageOf(() => importFolder("/nothing", gpt2()))).toContain("no such folder");
  });

  it("throws a NopeekError, or reads finite numbers, whatever byte is changed and wherever a file ends", () => {
    const whole = gpt2();
    const names = ["model.safetensors", "config.json", "tokenizer.json"];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.option(fc.nat(255)),
        (name, place, byte) => {
          const files = gpt2();
          const bytes = whole.read(`${FOLDER}/${name}`);
          // Half of the changes are in the header.
          const at = Math.floor(place * (name === "model.safetensors" && place < 0.5 ? 4000 : bytes.length));
          const changed = byte === null ? bytes.subarray(0, at) : bytes.slice();
          if (byte !== null) changed[at] = byte;
          files.write(`${FOLDER}/${name}`, changed);
          try {
            const { tensors } = importFolder(FOLDER, files);
            for (const { values } of tensors.values()) expect(values.every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(NopeekError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function transposed({ shape: [rows, columns], values }: StoredTensor): StoredTensor {
  const turned = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  return { shape: [columns, rows], values: turned };
}

/** Two files; `misplaced` says where the index wrongly places some tensors. */
function sharded(misplaced: Readonly<Record<string, string>>): MemoryFiles {
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
