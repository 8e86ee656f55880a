/** What is where in the file, by numbers. That llama.cpp computes the same is checked in scripts/interop. */
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/errors.ts";
import { exportGGUF, ggufArchitectureOf } from "../../../src/interop/gguf/export.ts";
import type { PortableModel } from "../../../src/interop/portable-model.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { doubleContext } from "../../support/contexts.ts";
import { messageOfA } from "../../support/errors.ts";
import { floatsOf, readGGUF } from "../../support/gguf-reader.ts";
import { TINY } from "../../support/models.ts";

const tokenizer = new CharTokenizer("abcdefghij", { endOfText: true });
const SIZES = { heads: 4, dModel: 12, headSize: 6, kvHeads: 2, mlpWidth: 5, layers: 2, vocabSize: 11 };
const LLAMA = { positions: "rotary", norm: "rms", activation: "swiglu", ...SIZES } as const;
const GPT_SIZES = { heads: 3, dModel: 6, mlpWidth: 5 };

const MODELS: readonly (readonly [string, Partial<GPTConfig>])[] = [
  ["gpt2", GPT_SIZES],
  ["gpt2", { ...GPT_SIZES, positions: "none", bias: false, normWeights: false, tieHead: false }],
  ["gptneox", { ...GPT_SIZES, positions: "rotary", activation: "gelu-tanh" }],
  ["llama", { ...LLAMA, ropeBase: 500, normEpsilon: 0.25 }],
  ["llama", { ...LLAMA, bias: false, normWeights: false, tieHead: false }],
  ["qwen3", { ...LLAMA, bias: false, qkNorm: true }],
  ["qwen3", { ...LLAMA, bias: false, qkNorm: true, qkNormWeights: true }],
  ["arcee", { ...LLAMA, bias: false, activation: "relu2" }],
  ["olmo", { ...LLAMA, bias: false, norm: "layer", normWeights: false, tieHead: false }],
];

/** A model whose weights are all different numbers. */
function makeModel(options: Partial<GPTConfig>): PortableModel {
  const config: GPTConfig = { ...TINY, ...options };
  const context = doubleContext();
  const shapes = Object.entries(new GPT(context, config, Random.zeros()).parameters());
  let next = 1;
  const tensors = new Map(
    shapes.map(([name, { shape }]): [string, StoredTensor] => {
      const values = Float32Array.from(
        { length: shape.reduce((size, length) => size * length, 1) },
        () => next++,
      );
      return [name, { shape, values }];
    }),
  );
  return { config, tokenizer, tensors };
}

describe.each(MODELS)("%s %o", (architecture, options) => {
  const model = makeModel(options);
  const { config, tensors } = model;
  const { metadata, tensors: stored } = readGGUF(exportGGUF(model, { name: "mine" }));
  const own = (name: string) => tensors.get(name);
  /** W(in, out) of ours as rows of one output each, in the order of `outputs`. */
  const rowsOf = (name: string, order = (channel: number) => channel): number[] | null => {
    const tensor = own(name);
    if (tensor === undefined) return null;
    const [inputs, outputs] = tensor.shape;
    return Array.from({ length: outputs }, (_, row) =>
      Array.from({ length: inputs }, (_, column) => tensor.values[column * outputs + order(row)]),
    ).flat();
  };
  const there = (name: string): number[] | null => {
    const tensor = stored.get(name);
    return tensor === undefined ? null : Array.from(floatsOf(tensor));
  };
  const all = (name: string, length: number, value: number) =>
    own(name) === undefined ? new Array<number>(length).fill(value) : Array.from(own(name)?.values ?? []);

  it("has llama.cpp's name and sizes", () => {
    expect(metadata.get("general.architecture")).toBe(architecture);
    expect(metadata.get("general.name")).toBe("mine");
    const headSize = config.headSize || config.dModel / config.heads;
    const isRotary = config.positions === "rotary";
    const epsilon = config.norm === "rms" ? "layer_norm_rms_epsilon" : "layer_norm_epsilon";
    const expected = {
      vocab_size: 11,
      context_length: 7,
      embedding_length: config.dModel,
      block_count: 2,
      feed_forward_length: 5,
      "attention.head_count": config.heads,
      "attention.head_count_kv": config.kvHeads || config.heads,
      "attention.key_length": headSize,
      "attention.value_length": headSize,
      [`attention.${epsilon}`]: Math.fround(config.normEpsilon),
      ...(isRotary ? { "rope.dimension_count": headSize, "rope.freq_base": config.ropeBase } : {}),
      ...(architecture === "gptneox" ? { use_parallel_residual: false } : {}),
    };
    const keys = [...metadata.keys()].filter((key) => key.startsWith(`${architecture}.`));
    expect(
      Object.fromEntries(keys.map((key) => [key.slice(architecture.length + 1), metadata.get(key)])),
    ).toEqual(expected);
  });

  it("has embeddings, the last norm, and a head only if it is not tied", () => {
    const { dModel } = config;
    expect(there("token_embd.weight")).toEqual(Array.from(own("tokenEmbedding")?.values ?? []));
    expect(there("output.weight")).toEqual(config.tieHead ? null : rowsOf("head.weight"));
    const positions = architecture === "gpt2" ? all("positionEmbedding", 7 * dModel, 0) : null;
    expect(there("position_embd.weight")).toEqual(positions);
    const hasNorms = architecture !== "olmo";
    expect(there("output_norm.weight")).toEqual(hasNorms ? all("finalNorm.weight", dModel, 1) : null);
    const hasShift = hasNorms && config.norm === "layer";
    expect(there("output_norm.bias")).toEqual(hasShift ? all("finalNorm.bias", dModel, 0) : null);
  });

  it("has queries, keys and values, in the order in which llama.cpp rotates channels", () => {
    const block = "blocks.1.attention.";
    if (architecture === "gpt2" || architecture === "gptneox") {
      const joined = ["query", "key", "value"].flatMap((part) => rowsOf(`${block}${part}.weight`) ?? []);
      expect(there("blk.1.attn_qkv.weight")).toEqual(joined);
      const biases = ["query", "key", "value"].flatMap((part) =>
        all(`${block}${part}.bias`, config.dModel, 0),
      );
      expect(there("blk.1.attn_qkv.bias")).toEqual(biases);
      return;
    }
    // Heads of 6 channels: llama.cpp rotates rows 0 and 1 together, nopeek channels 0 and 3.
    const order = architecture === "qwen3" ? [0, 1, 2, 3, 4, 5] : [0, 3, 1, 4, 2, 5];
    const rotated = (row: number) => row - (row % 6) + order[row % 6];
    expect(there("blk.1.attn_q.weight")).toEqual(rowsOf(`${block}query.weight`, rotated));
    expect(there("blk.1.attn_k.weight")).toEqual(rowsOf(`${block}key.weight`, rotated));
    expect(there("blk.1.attn_v.weight")).toEqual(rowsOf(`${block}value.weight`));
    const bias = own(`${block}key.bias`)?.values;
    expect(there("blk.1.attn_k.bias")).toEqual(
      bias === undefined ? null : Array.from(bias, (_, i) => bias[rotated(i)]),
    );
    const isQwen = architecture === "qwen3";
    expect(there("blk.1.attn_q_norm.weight")).toEqual(isQwen ? all(`${block}queryNorm.weight`, 6, 1) : null);
    expect(there("blk.1.attn_k_norm.weight")).toEqual(isQwen ? all(`${block}keyNorm.weight`, 6, 1) : null);
  });

  it("has the rest of each block, and nothing else", () => {
    const isGPT = architecture.startsWith("gpt");
    for (const [theirs, ours] of [
      ["attn_output", "attention.output"],
      ["ffn_gate", "mlp.gate"],
      ["ffn_up", "mlp.up"],
      ["ffn_down", "mlp.down"],
    ]) {
      const name = `blocks.0.${ours}`;
      expect(there(`blk.0.${theirs}.weight`)).toEqual(rowsOf(`${name}.weight`));
      const outputs = own(`${name}.weight`)?.shape[1] ?? 0;
      const hasBias = outputs > 0 && (isGPT || config.bias);
      expect(there(`blk.0.${theirs}.bias`)).toEqual(hasBias ? all(`${name}.bias`, outputs, 0) : null);
    }
    const norms = architecture === "olmo" ? null : all("blocks.0.mlpNorm.weight", config.dModel, 1);
    expect(there("blk.0.ffn_norm.weight")).toEqual(norms);
    const numbers = [...stored.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0);
    const ours = [...tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
    const filled = [...stored.values()].reduce(
      (sum, tensor) => sum + floatsOf(tensor).filter((x) => x < 2).length,
      0,
    );
    // What is 0 or 1 was filled in, except for one weight of ours.
    expect(numbers - filled + 1).toBe(ours);
  });
});

describe("what llama.cpp does not have", () => {
  const reason = (options: Partial<GPTConfig>) =>
    messageOfA(ConfigError)(() => ggufArchitectureOf({ ...TINY, ...options }));

  it("is refused by the options in the way", () => {
    expect(reason({ activation: "relu2" })).toContain("llama.cpp's gpt2 needs `activation` gelu-tanh;");
    expect(reason({ positions: "rotary", activation: "relu2" })).toContain(
      "gptneox needs `activation` gelu-tanh",
    );
    expect(reason({ ...LLAMA, activation: "gelu" })).toContain(
      "arcee needs `activation` relu2 and `bias` false",
    );
    expect(reason({ ...LLAMA, positions: "none" })).toContain("does not have SmolLM3");
    expect(reason({ ...LLAMA, bias: false, logitCap: 5 })).toContain("does not have VaultGemma");
    expect(reason({ bigram: true })).toContain("`bigram` false");
  });
});

it("has no name that llama.cpp takes for another model's", () => {
  const model = makeModel(GPT_SIZES);
  for (const name of ["phi3", "my-Phi-3-run"]) {
    expect(readGGUF(exportGGUF(model, { name })).metadata.has("general.name")).toBe(false);
  }
});
