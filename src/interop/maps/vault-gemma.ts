import type { GPTConfig } from "../../nn/config.ts";
import { SAME } from "./layouts.ts";
import { llamaBlock } from "./llama.ts";
import { blocksOf, normWeightRule, weightRule } from "./rules.ts";
import type { TensorMap, TensorRule } from "./tensor-map.ts";

/**
 * VaultGemmaForCausalLM. It multiplies embeddings by √C and norms by 1 + weight. The head is always separate, because a
 * tied one would be √C times too small.
 */
export function vaultGemmaMap(config: GPTConfig): TensorMap {
  const { layers, dModel, tieHead } = config;
  const embedding: TensorRule = {
    foreign: "model.embed_tokens.weight",
    own: ["tokenEmbedding"],
    layout: SAME,
  };
  const head = tieHead ? { ...embedding, foreign: "lm_head.weight" } : weightRule("lm_head", "head");
  return [
    { ...embedding, scale: Math.sqrt(dModel) },
    ...blocksOf(layers, (i) =>
      llamaBlock(config, `model.layers.${i}`, `blocks.${i}`, "pre_feedforward_layernorm"),
    ).map(centered),
    centered(normWeightRule("model.norm", "finalNorm")),
    head,
  ];
}

/** A norm's weight as its difference from 1; other rules as they are. */
function centered(rule: TensorRule): TensorRule {
  return rule.absent === 1 ? { ...rule, shift: 1 } : rule;
}
