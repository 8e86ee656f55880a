import type { GPTConfig } from "../../nn/config.ts";
import { SAME, SIDE_BY_SIDE } from "./layouts.ts";
import { blocksOf, layerNormRules, linearRules, weightRule } from "./rules.ts";
import type { TensorMap } from "./tensor-map.ts";

/** Conv1D is (in, out), as our weights. */
const CONV1D = { weight: SAME, bias: SAME };

/** GPT2LMHeadModel. One layer joins queries, keys and values. */
export function gpt2Map({ layers, tieHead }: GPTConfig): TensorMap {
  return [
    { foreign: "transformer.wte.weight", own: ["tokenEmbedding"], layout: SAME },
    // A model without positions adds zeros.
    { foreign: "transformer.wpe.weight", own: ["positionEmbedding"], layout: SAME, absent: 0 },
    ...blocksOf(layers, (i) => blockRules(`transformer.h.${i}`, `blocks.${i}`)),
    ...layerNormRules("transformer.ln_f", "finalNorm"),
    ...(tieHead ? [] : [weightRule("lm_head", "head")]),
  ];
}

function blockRules(foreign: string, own: string): TensorMap {
  const parts = ["query", "key", "value"].map((part) => `${own}.attention.${part}`);
  return [
    ...layerNormRules(`${foreign}.ln_1`, `${own}.attentionNorm`),
    ...linearRules(`${foreign}.attn.c_attn`, parts, { weight: SIDE_BY_SIDE, bias: SIDE_BY_SIDE }),
    ...linearRules(`${foreign}.attn.c_proj`, `${own}.attention.output`, CONV1D),
    ...layerNormRules(`${foreign}.ln_2`, `${own}.mlpNorm`),
    ...linearRules(`${foreign}.mlp.c_fc`, `${own}.mlp.up`, CONV1D),
    ...linearRules(`${foreign}.mlp.c_proj`, `${own}.mlp.down`, CONV1D),
  ];
}
