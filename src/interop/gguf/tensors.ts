/** Where nopeek's weights are in a GGUF file. Matrices are (out, in); the last axis comes first in the file. */
import type { GPTConfig } from "../../nn/config.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { type Layout, SAME, SIDE_BY_SIDE, STACKED, TRANSPOSED } from "../maps/layouts.ts";
import { blocksOf, LINEAR, layerNormRules, linearRules, normWeightRule, weightRule } from "../maps/rules.ts";
import type { TensorMap } from "../maps/tensor-map.ts";
import { sizesOf } from "../sizes.ts";

/** The architectures, by llama.cpp's names. */
export type GGUFArchitecture = "gpt2" | "gptneox" | "llama" | "qwen3" | "arcee" | "olmo";

/** The table of an architecture. */
export function ggufMap(architecture: GGUFArchitecture, config: GPTConfig): TensorMap {
  const block =
    architecture === "gpt2" || architecture === "gptneox" ? gptBlock : llamaBlock(architecture, config);
  const norms = architecture === "olmo" ? [] : normRules(config, "output_norm", "finalNorm");
  return [
    { foreign: "token_embd.weight", own: ["tokenEmbedding"], layout: SAME },
    // A model without positions adds zeros.
    ...(architecture === "gpt2"
      ? [{ foreign: "position_embd.weight", own: ["positionEmbedding"], layout: SAME, absent: 0 } as const]
      : []),
    ...blocksOf(config.layers, (i) => block(`blk.${i}`, `blocks.${i}`)),
    ...norms,
    ...(config.tieHead ? [] : [weightRule("output", "head")]),
  ];
}

function normRules({ norm }: GPTConfig, foreign: string, own: string): TensorMap {
  return norm === "layer" ? layerNormRules(foreign, own) : [normWeightRule(foreign, own)];
}

/** One matrix joins queries, keys and values. */
function gptBlock(foreign: string, own: string): TensorMap {
  const parts = ["query", "key", "value"].map((part) => `${own}.attention.${part}`);
  return [
    ...layerNormRules(`${foreign}.attn_norm`, `${own}.attentionNorm`),
    ...linearRules(`${foreign}.attn_qkv`, parts, { weight: STACKED, bias: SIDE_BY_SIDE }),
    ...linearRules(`${foreign}.attn_output`, `${own}.attention.output`),
    ...layerNormRules(`${foreign}.ffn_norm`, `${own}.mlpNorm`),
    ...linearRules(`${foreign}.ffn_up`, `${own}.mlp.up`),
    ...linearRules(`${foreign}.ffn_down`, `${own}.mlp.down`),
  ];
}

function llamaBlock(
  architecture: GGUFArchitecture,
  config: GPTConfig,
): (foreign: string, own: string) => TensorMap {
  const { bias, activation } = config;
  // Qwen3 rotates channels i and D/2 + i, as nopeek does; the others 2i and 2i + 1.
  const rotated = architecture === "qwen3" ? LINEAR : neighborPairs(sizesOf(config).headSize);
  return (foreign, own) => {
    const linear = (theirs: string, ours: string, layouts = LINEAR) =>
      linearRules(`${foreign}.${theirs}`, `${own}.${ours}`, layouts).slice(0, bias ? 2 : 1);
    const norm = (theirs: string, ours: string) =>
      architecture === "olmo" ? [] : [normWeightRule(`${foreign}.${theirs}`, `${own}.${ours}`)];
    return [
      ...norm("attn_norm", "attentionNorm"),
      ...linear("attn_q", "attention.query", rotated),
      ...linear("attn_k", "attention.key", rotated),
      ...linear("attn_v", "attention.value"),
      ...linear("attn_output", "attention.output"),
      ...(architecture === "qwen3"
        ? [...norm("attn_q_norm", "attention.queryNorm"), ...norm("attn_k_norm", "attention.keyNorm")]
        : []),
      ...norm("ffn_norm", "mlpNorm"),
      ...(activation === "swiglu" ? linear("ffn_gate", "mlp.gate") : []),
      ...linear("ffn_up", "mlp.up"),
      ...linear("ffn_down", "mlp.down"),
    ];
  };
}

/** The layouts of queries and keys with the two channels that are rotated together side by side. */
function neighborPairs(headSize: number): typeof LINEAR {
  const half = headSize / 2;
  /** The channel of ours that is at `channel`. */
  const source = (channel: number) => (channel % 2) * half + Math.floor(channel / 2);
  const target = (channel: number) => 2 * (channel % half) + Math.floor(channel / half);
  const reordered = (layout: Layout): Layout => ({
    toForeign: ([own]) => layout.toForeign([withChannels(own, headSize, source)]),
    toOwn: (foreign, shapes) =>
      layout.toOwn(foreign, shapes).map((own) => withChannels(own, headSize, target)),
  });
  return { weight: reordered(TRANSPOSED), bias: reordered(SAME) };
}

/** Reorders the last axis: within each head, channel c becomes channel `source(c)`. */
function withChannels(
  { shape, values }: StoredTensor,
  headSize: number,
  source: (channel: number) => number,
): StoredTensor {
  const order = Array.from({ length: headSize }, (_, channel) => source(channel));
  const moved = values.map((_, i) => values[i - (i % headSize) + order[i % headSize]]);
  return { shape, values: moved };
}
