import type { ModelConfig } from "../../nn/config.ts";
import { type Layout, SAME } from "./layouts.ts";
import { blocksOf, layerNormRules, linearRules } from "./rules.ts";
import type { TensorMap } from "./tensor-map.ts";

/** The lowest logit that float16 holds, so that [start] is never chosen. */
const NEVER = -65504;

/** BlenderbotForConditionalGeneration. Its head scores [start] too, which nopeek's does not. */
export function blenderbotMap({ vocabSize, layers }: ModelConfig): TensorMap {
  return [
    { foreign: "model.shared.weight", own: ["tokenEmbedding"], layout: SAME },
    ...stackRules("encoder", layers, []),
    ...stackRules("decoder", layers, [["encoder_attn", "cross"]]),
    { foreign: "final_logits_bias", own: [], layout: neverLast(vocabSize + 2) },
  ];
}

function stackRules(stack: string, layers: number, cross: readonly (readonly [string, string])[]): TensorMap {
  const attentions = [["self_attn", "attention"], ...cross] as const;
  return [
    // A model without positions adds zeros.
    {
      foreign: `model.${stack}.embed_positions.weight`,
      own: [`${stack}.positionEmbedding`],
      layout: SAME,
      absent: 0,
    },
    ...blocksOf(layers, (i) => {
      const [foreign, own] = [`model.${stack}.layers.${i}`, `${stack}.blocks.${i}`];
      return [
        ...attentions.flatMap(([theirs, ours]) => attentionRules(`${foreign}.${theirs}`, `${own}.${ours}`)),
        ...layerNormRules(`${foreign}.final_layer_norm`, `${own}.mlpNorm`),
        ...linearRules(`${foreign}.fc1`, `${own}.mlp.up`),
        ...linearRules(`${foreign}.fc2`, `${own}.mlp.down`),
      ];
    }),
    ...layerNormRules(`model.${stack}.layer_norm`, `${stack}.finalNorm`),
  ];
}

function attentionRules(foreign: string, own: string): TensorMap {
  return [
    ...layerNormRules(`${foreign}_layer_norm`, `${own}Norm`),
    ...linearRules(`${foreign}.q_proj`, `${own}.query`),
    ...linearRules(`${foreign}.k_proj`, `${own}.key`),
    ...linearRules(`${foreign}.v_proj`, `${own}.value`),
    ...linearRules(`${foreign}.out_proj`, `${own}.output`),
  ];
}

/** A constant, which holds none of nopeek's weights: it is added to the logits, and forbids the last token. */
function neverLast(tokens: number): Layout {
  const values = new Float32Array(tokens);
  values[tokens - 1] = NEVER;
  return { toForeign: () => ({ shape: [1, tokens], values }), toOwn: () => [] };
}
