/** The files of an export, decoded here without the code that wrote them. */
import { describe, expect, test } from "vitest";
import { resolveSettings, type Settings } from "../../../src/config/settings.ts";
import { ConfigError } from "../../../src/errors.ts";
import { exportHuggingFace } from "../../../src/interop/hugging-face/export.ts";
import type { NumberType } from "../../../src/interop/number-types.ts";
import { parameterShapes } from "../../../src/interop/parameter-shapes.ts";
import type { PortableModel } from "../../../src/interop/portable-model.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";

const SIZES: Partial<Settings> = { layers: 2, heads: 2, dModel: 12, contextLength: 7 };
const LLAMA: Partial<Settings> = {
  ...SIZES,
  positions: "rotary",
  norm: "rms",
  activation: "swiglu",
  bias: false,
};

function modelOf(settings: Partial<Settings>, tokenizer = new CharTokenizer("abc")): PortableModel {
  const config = gptConfigOf(resolveSettings(settings), tokenizer.vocabSize);
  const random = Random.of(1, "export");
  const tensors = Array.from(parameterShapes(config), ([name, shape]) => {
    const length = shape.reduce((size, each) => size * each, 1);
    return [name, { shape, values: Float32Array.from({ length }, () => random.normal()) }] as const;
  });
  return { config, tokenizer, tensors: new Map(tensors) };
}

function textOf(model: PortableModel, file: string, dtype: NumberType = "f32"): string {
  const found = exportHuggingFace(model, { dtype }).find(({ name }) => name === file);
  return new TextDecoder().decode(found?.bytes);
}

/** Reads safetensors by the description of the format. */
function decode(model: PortableModel, dtype: NumberType) {
  const found = exportHuggingFace(model, { dtype }).find(({ name }) => name === "model.safetensors");
  const bytes = found?.bytes ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, end)));
  return { entries, metadata: __metadata__, data: new DataView(bytes.buffer, bytes.byteOffset + end), end };
}

describe("the folder", () => {
  test("has the five files that transformers reads", () => {
    expect(exportHuggingFace(modelOf(SIZES)).map(({ name }) => name)).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(JSON.parse(textOf(modelOf(SIZES), "tokenizer_config.json"))).toMatchObject({
      model_max_length: 7,
    });
    expect(JSON.parse(textOf(modelOf(SIZES), "tokenizer.json")).model.vocab).toEqual({ a: 0, b: 1, c: 2 });
  });

  test.each<[string, Partial<Settings>, Readonly<Record<string, unknown>>]>([
    [
      "GPT2LMHeadModel",
      { ...SIZES, activation: "gelu-tanh", mlpWidth: 20, normEpsilon: 1e-6 },
      {
        model_type: "gpt2",
        n_positions: 7,
        n_embd: 12,
        n_inner: 20,
        activation_function: "gelu_new",
        layer_norm_epsilon: 1e-6,
        tie_word_embeddings: true,
      },
    ],
    [
      "GPTNeoXForCausalLM",
      { ...SIZES, positions: "rotary", ropeBase: 5000, tieHead: false },
      {
        rotary_pct: 1,
        rotary_emb_base: 5000,
        use_parallel_residual: false,
        hidden_act: "gelu",
        tie_word_embeddings: false,
      },
    ],
    [
      "LlamaForCausalLM",
      { ...LLAMA, bias: true, kvHeads: 1, headSize: 4, ropeBase: 1e5 },
      {
        num_key_value_heads: 1,
        head_dim: 4,
        attention_bias: true,
        mlp_bias: true,
        rope_theta: 1e5,
        rope_parameters: { rope_type: "default", rope_theta: 1e5 },
        hidden_act: "silu",
      },
    ],
    [
      "Qwen3ForCausalLM",
      { ...LLAMA, qkNorm: true, normEpsilon: 1e-6 },
      { rms_norm_eps: 1e-6, use_sliding_window: false },
    ],
    ["ArceeForCausalLM", { ...LLAMA, activation: "relu2" }, { hidden_act: "relu2", intermediate_size: 48 }],
    ["SmolLM3ForCausalLM", { ...LLAMA, positions: "none" }, { no_rope_layers: [0, 0] }],
    ["OlmoForCausalLM", { ...LLAMA, norm: "layer", normWeights: false }, { clip_qkv: null }],
    [
      "VaultGemmaForCausalLM",
      { ...LLAMA, logitCap: 5 },
      {
        final_logit_softcapping: 5,
        attn_logit_softcapping: null,
        query_pre_attn_scalar: 6,
        tie_word_embeddings: false,
        layer_types: ["full_attention", "full_attention"],
      },
    ],
  ])("%s has the model's options in its config", (name, settings, fields) => {
    const config = JSON.parse(textOf(modelOf(settings), "config.json"));
    expect(config).toMatchObject({ ...fields, architectures: [name], vocab_size: 3, dtype: "float32" });
    // The defaults of the classes are ids of other vocabularies.
    expect(config).toMatchObject({ bos_token_id: null, eos_token_id: null, pad_token_id: null });
  });

  test("floats stay floats, which version 5 checks", () => {
    const text = textOf(modelOf({ ...LLAMA, logitCap: 5 }), "config.json");
    expect(text).toContain('"final_logit_softcapping": 5.0,');
    expect(text).toContain('"rope_theta": 10000.0');
    expect(text).toContain('"vocab_size": 3,');
  });

  test("the end token ends, begins and pads", () => {
    const model = modelOf(SIZES, new CharTokenizer("abc", { endOfText: true }));
    const expected = { bos_token_id: 3, eos_token_id: 3, pad_token_id: 3 };
    expect(JSON.parse(textOf(model, "config.json"))).toMatchObject(expected);
    expect(JSON.parse(textOf(model, "generation_config.json"))).toEqual(expected);
  });

  test("a model without a class is refused by the option, and nothing is written", () => {
    expect(() => exportHuggingFace(modelOf({ ...LLAMA, bigram: true }))).toThrow(ConfigError);
    expect(() => exportHuggingFace(modelOf({ ...LLAMA, bigram: true }))).toThrow(
      "needs `bigram` false, not true",
    );
  });
});

describe("model.safetensors", () => {
  test("every tensor fills its place, and the data begins at a multiple of 8", () => {
    const { entries, metadata, data, end } = decode(modelOf(LLAMA), "f32");
    expect(metadata).toEqual({ format: "pt" });
    expect(end % 8).toBe(0);
    let at = 0;
    for (const { dtype, shape, data_offsets } of Object.values<{
      dtype: string;
      shape: number[];
      data_offsets: number[];
    }>(entries)) {
      expect(dtype).toBe("F32");
      expect(data_offsets).toEqual([at, at + 4 * shape.reduce((size, each) => size * each, 1)]);
      at = data_offsets[1];
    }
    expect(data.byteLength).toBe(at);
  });

  test("float32 keeps the bits, in the layout of Linear", () => {
    const model = modelOf(LLAMA);
    const { entries, data } = decode(model, "f32");
    const { shape, data_offsets } = entries["model.layers.1.mlp.up_proj.weight"];
    const own = model.tensors.get("blocks.1.mlp.up.weight");
    expect(shape).toEqual([...(own?.shape ?? [])].reverse());
    const [out, inputs] = shape;
    for (const [o, i] of [
      [0, 1],
      [5, 3],
      [out - 1, inputs - 1],
    ])
      expect(data.getFloat32(data_offsets[0] + 4 * (o * inputs + i), true)).toBe(own?.values[i * out + o]);
  });

  test.each<[NumberType, string, number]>([
    ["f16", "F16", 2 ** -11],
    ["bf16", "BF16", 2 ** -8],
  ])("%s is rounded to the nearest", (type, dtype, error) => {
    const model = modelOf(LLAMA);
    const { entries, data } = decode(model, type);
    const {
      data_offsets: [from, to],
      dtype: stored,
    } = entries["model.embed_tokens.weight"];
    const values = model.tensors.get("tokenEmbedding")?.values ?? new Float32Array(0);
    expect(stored).toBe(dtype);
    expect(to - from).toBe(2 * values.length);
    values.forEach((value, i) => {
      const bits = data.getUint16(from + 2 * i, true);
      const half = type === "bf16" ? new Float32Array(Uint32Array.of(bits << 16).buffer)[0] : ofFloat16(bits);
      expect(Math.abs(half - value)).toBeLessThanOrEqual(error * Math.abs(value));
    });
    expect(JSON.parse(textOf(model, "config.json", type)).dtype).toBe(
      type === "f16" ? "float16" : "bfloat16",
    );
  });

  test("a weight beyond float16's range is refused by its name; bfloat16 holds it", () => {
    const model = modelOf(LLAMA);
    model.tensors.get("blocks.0.mlp.gate.weight")?.values.fill(-70_000, 4, 5);
    expect(() => exportHuggingFace(model, { dtype: "f16" })).toThrow(
      '`dtype` f16 cannot hold -70000, a weight in "model.layers.0.mlp.gate_proj.weight": its largest number is 65504; f32 can',
    );
    expect(exportHuggingFace(model, { dtype: "bf16" })).toHaveLength(5);
  });
});

/** A normal float16. */
function ofFloat16(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  return (
    (sign === 1 ? -1 : 1) *
    (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
}
