import type { GPTConfig } from "../../nn/config.ts";
import { gpt2Map } from "./gpt2.ts";
import { SAME, SIDE_BY_SIDE, STACKED, TRANSPOSED } from "./layouts.ts";
import type { TensorMap } from "./tensor-map.ts";

/** nanoGPT's GPT: named as GPT-2's, with PyTorch's Linear, (out, in), in place of Conv1D, (in, out). */
export function nanoGPTMap(config: GPTConfig): TensorMap {
  return gpt2Map(config).map((rule) => {
    if (!/\.(?:attn|mlp)\..*\.weight$/.test(rule.foreign)) return rule;
    if (rule.layout === SIDE_BY_SIDE) return { ...rule, layout: STACKED };
    return rule.layout === SAME ? { ...rule, layout: TRANSPOSED } : rule;
  });
}
