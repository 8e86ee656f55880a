/** The parts that the tables of all families are made of. */
import { type Layout, SAME, TRANSPOSED } from "./layouts.ts";
import type { TensorMap, TensorRule } from "./tensor-map.ts";

/** PyTorch's Linear: the weight is (out, in). */
export const LINEAR = { weight: TRANSPOSED, bias: SAME };

/** The weight and the bias of a linear layer, which joins several of ours if there are more than one. */
export function linearRules(
  foreign: string,
  own: string | readonly string[],
  layouts: { readonly weight: Layout; readonly bias: Layout } = LINEAR,
): TensorMap {
  const parts = typeof own === "string" ? [own] : own;
  return [
    { foreign: `${foreign}.weight`, own: parts.map((part) => `${part}.weight`), layout: layouts.weight },
    { foreign: `${foreign}.bias`, own: parts.map((part) => `${part}.bias`), layout: layouts.bias, absent: 0 },
  ];
}

/** A weight without a bias. */
export function weightRule(foreign: string, own: string): TensorRule {
  return { foreign: `${foreign}.weight`, own: [`${own}.weight`], layout: TRANSPOSED };
}

/** The scale of a norm. */
export function normWeightRule(foreign: string, own: string): TensorRule {
  return { foreign: `${foreign}.weight`, own: [`${own}.weight`], layout: SAME, absent: 1 };
}

/** The scale and the shift of a LayerNorm. */
export function layerNormRules(foreign: string, own: string): TensorMap {
  return [
    normWeightRule(foreign, own),
    { foreign: `${foreign}.bias`, own: [`${own}.bias`], layout: SAME, absent: 0 },
  ];
}

/** The rules of every block. */
export function blocksOf(layers: number, rulesOf: (index: number) => TensorMap): TensorMap {
  return Array.from({ length: layers }, (_, index) => rulesOf(index)).flat();
}
