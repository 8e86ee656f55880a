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
