import type { GPTConfig } from "../../nn/config.ts";
import { interleavedHeads, SAME } from "./layouts.ts";
import { blocksOf, layerNormRules, linearRules, weightRule } from "./rules.ts";
import type { TensorMap } from "./tensor-map.ts";

/** GPTNeoXForCausalLM. One layer joins queries, keys and values, head by head. */
export function gptNeoXMap({ layers, heads, tieHead }: GPTConfig): TensorMap {
  return [
    { foreign: "gpt_neox.embed_in.weight", own: ["tokenEmbedding"], layout: SAME },
    ...blocksOf(layers, (i) => blockRules(`gpt_neox.layers.${i}`, `blocks.${i}`, heads)),
    ...layerNormRules("gpt_neox.final_layer_norm", "finalNorm"),
    ...(tieHead ? [] : [weightRule("embed_out", "head")]),
  ];
}

function blockRules(foreign: string, own: string, heads: number): TensorMap {
  const parts = ["query", "key", "value"].map((part) => `${own}.attention.${part}`);
  const layout = interleavedHeads(heads);
  const joined = { weight: layout, bias: layout };
  return [
    ...layerNormRules(`${foreign}.input_layernorm`, `${own}.attentionNorm`),
    ...linearRules(`${foreign}.attention.query_key_value`, parts, joined),
    ...linearRules(`${foreign}.attention.dense`, `${own}.attention.output`),
    ...layerNormRules(`${foreign}.post_attention_layernorm`, `${own}.mlpNorm`),
    ...linearRules(`${foreign}.mlp.dense_h_to_4h`, `${own}.mlp.up`),
    ...linearRules(`${foreign}.mlp.dense_4h_to_h`, `${own}.mlp.down`),
  ];
}
