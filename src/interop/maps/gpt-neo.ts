import type { GPTConfig } from "../../nn/config.ts";
import { sizesOf } from "../sizes.ts";
import { SAME } from "./layouts.ts";
import { blocksOf, layerNormRules, linearRules, weightRule } from "./rules.ts";
import type { TensorMap } from "./tensor-map.ts";

/**
 * GPTNeoForCausalLM, the class of TinyStories. Scores are not divided by √D, so our queries are √D times as large; and
 * queries, keys and values have no bias.
 */
export function gptNeoMap(config: GPTConfig): TensorMap {
  const { layers, tieHead } = config;
  const scale = Math.sqrt(sizesOf(config).headSize);
  return [
    { foreign: "transformer.wte.weight", own: ["tokenEmbedding"], layout: SAME },
    { foreign: "transformer.wpe.weight", own: ["positionEmbedding"], layout: SAME },
    ...blocksOf(layers, (i) => blockRules(`transformer.h.${i}`, `blocks.${i}`, scale)),
    ...layerNormRules("transformer.ln_f", "finalNorm"),
    ...(tieHead ? [] : [weightRule("lm_head", "head")]),
  ];
}

function blockRules(foreign: string, own: string, scale: number): TensorMap {
  const attention = `${foreign}.attn.attention`;
  return [
    ...layerNormRules(`${foreign}.ln_1`, `${own}.attentionNorm`),
    ...linearRules(`${attention}.q_proj`, `${own}.attention.query`).map((rule) => ({ ...rule, scale })),
    ...linearRules(`${attention}.k_proj`, `${own}.attention.key`),
    ...linearRules(`${attention}.v_proj`, `${own}.attention.value`),
    ...linearRules(`${attention}.out_proj`, `${own}.attention.output`),
    ...layerNormRules(`${foreign}.ln_2`, `${own}.mlpNorm`),
    ...linearRules(`${foreign}.mlp.c_fc`, `${own}.mlp.up`),
    ...linearRules(`${foreign}.mlp.c_proj`, `${own}.mlp.down`),
  ];
}
