import type { GPTConfig } from "../../nn/config.ts";
import { SAME } from "./layouts.ts";
import { blocksOf, linearRules, normWeightRule, weightRule } from "./rules.ts";
import type { TensorMap } from "./tensor-map.ts";

/**
 * LlamaForCausalLM, and the classes that name their tensors like it: Qwen3, Arcee, SmolLM3, OLMo.
 *
 * @param options.norms whether norms have weights; OLMo's do not
 */
export function llamaMap(config: GPTConfig, { norms } = { norms: true }): TensorMap {
  const rules: TensorMap = [
    { foreign: "model.embed_tokens.weight", own: ["tokenEmbedding"], layout: SAME },
    ...blocksOf(config.layers, (i) => llamaBlock(config, `model.layers.${i}`, `blocks.${i}`)),
    normWeightRule("model.norm", "finalNorm"),
    ...(config.tieHead ? [] : [weightRule("lm_head", "head")]),
  ];
  return norms ? rules : rules.filter(({ absent }) => absent !== 1);
}

/** The rules of a block; `mlpNorm` is the name of the norm before the MLP. */
export function llamaBlock(
  { bias, qkNorm, activation }: GPTConfig,
  foreign: string,
  own: string,
  mlpNorm = "post_attention_layernorm",
): TensorMap {
  const linear = (theirs: string, ours: string) =>
    linearRules(`${foreign}.${theirs}`, `${own}.${ours}`).slice(0, bias ? 2 : 1);
  const norm = (theirs: string, ours: string) => normWeightRule(`${foreign}.${theirs}`, `${own}.${ours}`);
  return [
    norm("input_layernorm", "attentionNorm"),
    ...linear("self_attn.q_proj", "attention.query"),
    ...linear("self_attn.k_proj", "attention.key"),
    ...linear("self_attn.v_proj", "attention.value"),
    ...linear("self_attn.o_proj", "attention.output"),
    ...(qkNorm
      ? [norm("self_attn.q_norm", "attention.queryNorm"), norm("self_attn.k_norm", "attention.keyNorm")]
      : []),
    norm(mlpNorm, "mlpNorm"),
    ...(activation === "swiglu" ? linear("mlp.gate_proj", "mlp.gate") : []),
    ...linear("mlp.up_proj", "mlp.up"),
    ...linear("mlp.down_proj", "mlp.down"),
  ];
}
