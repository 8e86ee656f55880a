import { describe, expect, test } from "vitest";
import { blenderbotMap } from "../../../src/interop/maps/blenderbot.ts";
import { foreignTensors, ownTensors } from "../../../src/interop/maps/tensor-map.ts";
import { encoderDecoderShapes, everyEncoderDecoderShape } from "../../../src/interop/parameter-shapes.ts";
import type { ModelConfig } from "../../../src/nn/config.ts";
import { Random } from "../../../src/random.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { TINY } from "../../support/models.ts";

const CHOICES: readonly Partial<ModelConfig>[] = [
  {},
  { positions: "none", bias: false, normWeights: false, mlpWidth: 10 },
];

function randomTensors(config: ModelConfig): Map<string, StoredTensor> {
  const random = Random.of(1, "blenderbot");
  const tensors = Array.from(encoderDecoderShapes(config), ([name, shape]) => {
    const length = shape.reduce((size, each) => size * each, 1);
    return [name, { shape, values: Float32Array.from({ length }, () => random.normal()) }] as const;
  });
  return new Map(tensors);
}

function exported(config: ModelConfig, own = randomTensors(config)): Map<string, StoredTensor> {
  return foreignTensors(blenderbotMap(config), everyEncoderDecoderShape(config), own);
}

describe("Blenderbot's table", () => {
  test.each(CHOICES)("read in both directions, it keeps the bits of all weights: %o", (changes) => {
    const config = { ...TINY, ...changes };
    const own = randomTensors(config);
    const shapes = { own: encoderDecoderShapes(config), every: everyEncoderDecoderShape(config) };
    const back = ownTensors(blenderbotMap(config), shapes, exported(config, own));
    expect([...back.keys()]).toEqual([...own.keys()]);
    expect(back).toEqual(own);
  });

  test("the decoder's cross-attention comes from cross, as Linear: (out, in)", () => {
    const own = randomTensors(TINY);
    const foreign = exported(TINY, own);
    for (const [theirs, ours] of [
      ["encoder.layers.1.self_attn.k_proj", "encoder.blocks.1.attention.key"],
      ["decoder.layers.0.encoder_attn.q_proj", "decoder.blocks.0.cross.query"],
      ["decoder.layers.1.encoder_attn.out_proj", "decoder.blocks.1.cross.output"],
      ["decoder.layers.1.fc1", "decoder.blocks.1.mlp.up"],
    ]) {
      const [there, here] = [foreign.get(`model.${theirs}.weight`), own.get(`${ours}.weight`)];
      const [inputs, outputs] = here?.shape ?? [];
      expect(there?.shape).toEqual([outputs, inputs]);
      // (in, out) = (2, 1)
      expect(there?.values[inputs + 2]).toBe(here?.values[2 * outputs + 1]);
    }
    const norm = own.get("decoder.blocks.1.crossNorm.bias");
    expect(foreign.get("model.decoder.layers.1.encoder_attn_layer_norm.bias")).toEqual(norm);
  });

  test("the logits of [start], the last token, are lowered by more than any logit; no others are changed", () => {
    const bias = exported(TINY).get("final_logits_bias");
    expect(bias?.shape).toEqual([1, 13]);
    expect([...(bias?.values ?? [])]).toEqual([...new Array<number>(12).fill(0), -65504]);
  });

  test("weights that the model lacks are 0, and 1 for norms", () => {
    const foreign = exported({ ...TINY, positions: "none", bias: false, normWeights: false });
    const distinct = (name: string) => [...new Set(foreign.get(`model.${name}`)?.values)];
    expect(distinct("encoder.embed_positions.weight")).toEqual([0]);
    expect(foreign.get("model.decoder.embed_positions.weight")?.shape).toEqual([7, 6]);
    expect(distinct("decoder.layers.0.encoder_attn.v_proj.bias")).toEqual([0]);
    expect(distinct("decoder.layer_norm.weight")).toEqual([1]);
  });
});
