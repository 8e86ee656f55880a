import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../../src/errors.ts";
import { ARCHITECTURE_NAMES, type ArchitectureName } from "../../../src/interop/architecture.ts";
import { gptNeoMap } from "../../../src/interop/maps/gpt-neo.ts";
import { mapOf } from "../../../src/interop/maps/index.ts";
import { toForeign, toOwn } from "../../../src/interop/maps/tensor-map.ts";
import { parameterShapes } from "../../../src/interop/parameter-shapes.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import { Random } from "../../../src/random.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { TINY } from "../../support/models.ts";

const LLAMA: Partial<GPTConfig> = { positions: "rotary", norm: "rms", activation: "swiglu" };
/** Options of each architecture, and another value of each option that it leaves open. */
const CONFIGS: Readonly<Record<ArchitectureName, readonly Partial<GPTConfig>[]>> = {
  GPT2: [{}, { positions: "none", bias: false, normWeights: false, tieHead: false }],
  GPTNeoX: [
    { positions: "rotary" },
    { positions: "rotary", bias: false, normWeights: false, tieHead: false },
  ],
  Llama: [LLAMA, { ...LLAMA, bias: false, normWeights: false, tieHead: false }],
  Qwen3: [
    { ...LLAMA, bias: false, qkNorm: true },
    { ...LLAMA, bias: false, qkNorm: true, qkNormWeights: true, kvHeads: 1, headSize: 4, mlpWidth: 10 },
  ],
  Arcee: [
    { ...LLAMA, activation: "relu2" },
    { ...LLAMA, activation: "gelu", tieHead: false },
  ],
  SmolLM3: [{ ...LLAMA, positions: "none" }],
  OLMo: [{ ...LLAMA, norm: "layer", bias: false, normWeights: false }],
  // √16 and weights from ½ to 2 keep the bits of its scaled and shifted numbers.
  VaultGemma: [
    { ...LLAMA, bias: false, logitCap: 5, dModel: 16, heads: 2 },
    { ...LLAMA, bias: false, logitCap: 5, dModel: 16, heads: 2, tieHead: false, normWeights: false },
  ],
};
const CASES = ARCHITECTURE_NAMES.flatMap((name) =>
  CONFIGS[name].map((changes) => [name, { ...TINY, ...changes }] as const),
);

function randomTensors(config: GPTConfig): Map<string, StoredTensor> {
  const random = Random.of(1, "maps");
  return new Map(
    Array.from(parameterShapes(config), ([name, shape]) => {
      const length = shape.reduce((size, each) => size * each, 1);
      const values = /norm\.weight$/i.test(name)
        ? Float32Array.from({ length }, () => 0.5 + 1.5 * random.uniform())
        : Float32Array.from({ length }, () => random.normal());
      return [name, { shape, values }];
    }),
  );
}

describe("every table, read in both directions", () => {
  test.each(CASES)("%s keeps the bits of all weights: %o", (name, config) => {
    const own = randomTensors(config);
    const map = mapOf(name, config);
    const foreign = toForeign(map, config, own);
    expect(new Set(map.map((rule) => rule.foreign)).size).toBe(map.length);
    const back = toOwn(map, config, foreign);
    expect([...back.keys()]).toEqual([...own.keys()]);
    for (const [tensor, { shape, values }] of own) {
      expect(back.get(tensor)?.shape).toEqual(shape);
      expect(new Uint32Array(back.get(tensor)?.values.buffer ?? new ArrayBuffer(0))).toEqual(
        new Uint32Array(values.buffer),
      );
    }
  });

  test("GPT-Neo's queries are ours divided by √D", () => {
    const config = { ...TINY, dModel: 12, heads: 3 };
    const own = randomTensors(config);
    const foreign = toForeign(gptNeoMap(config), config, own);
    const query = own.get("blocks.1.attention.query.weight");
    // (in, out) = (0, 1) is (out, in) = (1, 0).
    expect(foreign.get("transformer.h.1.attn.attention.q_proj.weight")?.values[12]).toBe(
      (query?.values[1] ?? 0) / 2,
    );
    expect(toOwn(gptNeoMap(config), config, foreign)).toEqual(own);
  });
});

/**
 * Where the classes of transformers look for the parts of block 1, by their sources: [name, ours, layout]. Reading a
 * table in both directions does not notice two names that are exchanged.
 */
const NAMES: readonly (readonly [ArchitectureName, readonly (readonly [string, string, Placement])[]])[] = [
  [
    "GPT2",
    [
      ["transformer.wte.weight", "tokenEmbedding", "same"],
      ["transformer.wpe.weight", "positionEmbedding", "same"],
      ["transformer.h.1.ln_1.weight", "blocks.1.attentionNorm.weight", "same"],
      ["transformer.h.1.ln_1.bias", "blocks.1.attentionNorm.bias", "same"],
      ["transformer.h.1.attn.c_attn.weight", "blocks.1.attention.query.weight", "beginning of each row"],
      ["transformer.h.1.attn.c_proj.weight", "blocks.1.attention.output.weight", "same"],
      ["transformer.h.1.ln_2.weight", "blocks.1.mlpNorm.weight", "same"],
      ["transformer.h.1.mlp.c_fc.weight", "blocks.1.mlp.up.weight", "same"],
      ["transformer.h.1.mlp.c_fc.bias", "blocks.1.mlp.up.bias", "same"],
      ["transformer.h.1.mlp.c_proj.weight", "blocks.1.mlp.down.weight", "same"],
      ["transformer.ln_f.weight", "finalNorm.weight", "same"],
    ],
  ],
  [
    "GPTNeoX",
    [
      ["gpt_neox.embed_in.weight", "tokenEmbedding", "same"],
      ["gpt_neox.layers.1.input_layernorm.weight", "blocks.1.attentionNorm.weight", "same"],
      ["gpt_neox.layers.1.attention.query_key_value.weight", "blocks.1.attention.query.weight", "first head"],
      ["gpt_neox.layers.1.attention.dense.weight", "blocks.1.attention.output.weight", "transposed"],
      ["gpt_neox.layers.1.post_attention_layernorm.weight", "blocks.1.mlpNorm.weight", "same"],
      ["gpt_neox.layers.1.mlp.dense_h_to_4h.weight", "blocks.1.mlp.up.weight", "transposed"],
      ["gpt_neox.layers.1.mlp.dense_4h_to_h.weight", "blocks.1.mlp.down.weight", "transposed"],
      ["gpt_neox.final_layer_norm.bias", "finalNorm.bias", "same"],
      ["embed_out.weight", "head.weight", "transposed"],
    ],
  ],
  [
    "Llama",
    [
      ["model.embed_tokens.weight", "tokenEmbedding", "same"],
      ["model.layers.1.input_layernorm.weight", "blocks.1.attentionNorm.weight", "same"],
      ["model.layers.1.self_attn.q_proj.weight", "blocks.1.attention.query.weight", "transposed"],
      ["model.layers.1.self_attn.k_proj.weight", "blocks.1.attention.key.weight", "transposed"],
      ["model.layers.1.self_attn.v_proj.weight", "blocks.1.attention.value.weight", "transposed"],
      ["model.layers.1.self_attn.o_proj.weight", "blocks.1.attention.output.weight", "transposed"],
      ["model.layers.1.post_attention_layernorm.weight", "blocks.1.mlpNorm.weight", "same"],
      ["model.layers.1.mlp.gate_proj.weight", "blocks.1.mlp.gate.weight", "transposed"],
      ["model.layers.1.mlp.up_proj.weight", "blocks.1.mlp.up.weight", "transposed"],
      ["model.layers.1.mlp.down_proj.weight", "blocks.1.mlp.down.weight", "transposed"],
      ["model.norm.weight", "finalNorm.weight", "same"],
      ["lm_head.weight", "head.weight", "transposed"],
    ],
  ],
];
type Placement = "same" | "transposed" | "beginning of each row" | "first head";

describe("every weight is where the class looks for it", () => {
  test.each(NAMES)("%s", (architecture, names) => {
    const config = { ...TINY, ...CONFIGS[architecture][0], tieHead: architecture === "GPT2" };
    const own = randomTensors(config);
    const foreign = toForeign(mapOf(architecture, config), config, own);
    for (const [name, ours, placement] of names) {
      const { shape, values } = own.get(ours) ?? { shape: [], values: new Float32Array(0) };
      const found = foreign.get(name);
      if (placement === "same") expect(found?.values, name).toEqual(values);
      else {
        // Our number of row 1, column 0; the width of a head is 2, so it is the query of head 0 too.
        const [rows, columns] = shape;
        const place = placement === "beginning of each row" ? 3 * columns : 1;
        expect(found?.values[place], name).toBe(values[columns]);
        // The last number of column 1: in a Linear, the end of row 1.
        if (placement !== "beginning of each row")
          expect(found?.values[2 * rows - 1], name).toBe(values[(rows - 1) * columns + 1]);
      }
    }
  });

  test("GPTNeoX: the keys of head 0 come before the queries of head 1", () => {
    const config = { ...TINY, ...CONFIGS.GPTNeoX[0] };
    const own = randomTensors(config);
    const joined = toForeign(mapOf("GPTNeoX", config), config, own).get(
      "gpt_neox.layers.0.attention.query_key_value.weight",
    );
    // (out, in): rows 0 and 1 are queries of head 0, row 2 is the first key of head 0, row 6 a query of head 1.
    const first = (part: string, column: number) =>
      own.get(`blocks.0.attention.${part}.weight`)?.values[column];
    expect(joined?.values[2 * 6]).toBe(first("key", 0));
    expect(joined?.values[4 * 6]).toBe(first("value", 0));
    expect(joined?.values[6 * 6]).toBe(first("query", 2));
  });

  test("a tied head has no tensor, except VaultGemma's, whose embedding is scaled", () => {
    for (const architecture of ARCHITECTURE_NAMES) {
      const config = { ...TINY, ...CONFIGS[architecture][0], tieHead: true };
      const heads = mapOf(architecture, config).filter(({ foreign }) => /head|embed_out/.test(foreign));
      expect(heads.length, architecture).toBe(architecture === "VaultGemma" ? 1 : 0);
    }
  });
});

describe("weights that one side lacks", () => {
  const config: GPTConfig = { ...TINY, bias: false, normWeights: false, positions: "none" };

  test("biases and positions are 0, norm weights 1", () => {
    const foreign = toForeign(mapOf("GPT2", config), config, randomTensors(config));
    const distinct = (name: string) => [...new Set(foreign.get(name)?.values)];
    expect(distinct("transformer.h.0.attn.c_attn.bias")).toEqual([0]);
    expect(foreign.get("transformer.h.0.attn.c_attn.bias")?.shape).toEqual([18]);
    expect(distinct("transformer.wpe.weight")).toEqual([0]);
    expect(foreign.get("transformer.wpe.weight")?.shape).toEqual([7, 6]);
    expect(distinct("transformer.ln_f.weight")).toEqual([1]);
    expect(distinct("transformer.h.1.ln_2.bias")).toEqual([0]);
  });

  test("in the other direction too: queries, keys and values with a bias, the rest without", () => {
    const whole: GPTConfig = { ...TINY, ...LLAMA };
    const map = mapOf("Llama", whole);
    const foreign = toForeign(map, whole, randomTensors(whole));
    foreign.delete("model.layers.0.mlp.up_proj.bias");
    expect(toOwn(map, whole, foreign).get("blocks.0.mlp.up.bias")?.values).toEqual(new Float32Array(16));
  });

  test("a missing weight, and one of another shape, are refused by both names", () => {
    const map = mapOf("GPT2", TINY);
    const foreign = toForeign(map, TINY, randomTensors(TINY));
    const name = "transformer.h.1.mlp.c_fc.weight";
    const right = foreign.get(name);
    foreign.set(name, { shape: [24, 6], values: new Float32Array(144) });
    expect(() => toOwn(map, TINY, foreign)).toThrow(`"${name}" should be (6, 24): got (24, 6)`);
    foreign.delete(name);
    expect(() => toOwn(map, TINY, foreign)).toThrow(CheckpointError);
    expect(() => toOwn(map, TINY, foreign)).toThrow(
      `the tensor "${name}" (here "blocks.1.mlp.up.weight") is missing`,
    );
    expect(right?.shape).toEqual([6, 24]);
  });
});
