/** The layers of nn/layers as nodes of a graph, one function each. Shapes are those of nn/. */
import { type GPTConfig, headSizeOf, kvHeadsOf } from "../../nn/config.ts";
import type { Graph, Value } from "./graph.ts";

/** Added before the softmax where a query may not attend: exp gives 0, and a row of nothing else is not NaN. */
const HIDDEN = -3.4e38;

/** The inputs of attention besides x, the same for every block. */
export interface AttentionInputs {
  /** (B, 1, T, S): 0 where a query may attend, `HIDDEN` where it may not. */
  readonly mask: Value;
  /** (B, T, 1, D/2) each; null unless positions are rotary. */
  readonly rotation: { readonly cosines: Value; readonly sines: Value } | null;
}

/** The cache of one layer. Each function appends new positions, and returns all. */
export interface LayerCache {
  /** (B, H_kv, T, D) → (B, H_kv, S, D) */
  readonly appendKeys: (own: Value) => Value;
  readonly appendValues: (own: Value) => Value;
}

/** Token t sees the tokens up to t that are no padding. */
export function attentionMask(graph: Graph, ids: Value, present: Value): Value {
  const [queries, keys] = [graph.length(ids, 1), graph.length(present, 1)];
  const query = graph.range(graph.subtract(keys, queries), keys);
  const key = graph.range(graph.integer(0), keys);
  const causal = graph.compare("LessOrEqual", key, graph.unsqueeze(query, [1])); // (T, S)
  const visible = graph.both(causal, graph.unsqueeze(graph.cast(present, "bool"), [1, 2])); // (B, 1, T, S)
  return graph.where(visible, graph.number(0), graph.number(HIDDEN));
}

/** (B, T, C) → (B, T, C) */
export function block(
  graph: Graph,
  config: GPTConfig,
  x: Value,
  inputs: AttentionInputs,
  cache: LayerCache,
): Value {
  const normed = graph.within("attentionNorm", () => norm(graph, config, x));
  const mixed = graph.within("attention", () => attention(graph, config, normed, inputs, cache));
  const y = graph.add(x, mixed);
  const normedAgain = graph.within("mlpNorm", () => norm(graph, config, y));
  const processed = graph.within("mlp", () => mlp(graph, config, normedAgain));
  return graph.add(y, processed);
}

/** (…, C) → (…, C) */
export function norm(graph: Graph, config: GPTConfig, x: Value): Value {
  const { norm, normEpsilon, normWeights, bias } = config;
  const centered = norm === "layer" ? graph.subtract(x, graph.mean(x)) : x;
  let y = scaleToUnit(graph, centered, normEpsilon);
  if (normWeights) y = graph.multiply(y, graph.parameter("weight"));
  return bias && norm === "layer" ? graph.add(y, graph.parameter("bias")) : y;
}

/** softmax(Q·Kᵀ/√D + M)·V·W_O */
function attention(
  graph: Graph,
  config: GPTConfig,
  x: Value,
  { mask, rotation }: AttentionInputs,
  cache: LayerCache,
): Value {
  const { heads, bias } = config;
  const [headSize, kvHeads] = [headSizeOf(config), kvHeadsOf(config)];
  const rotated = (x: Value) => (rotation === null ? x : rotate(graph, x, rotation, headSize));
  const byHead = (x: Value) => graph.transpose(x, [0, 2, 1, 3]); // (B, T, H, D) ↔ (B, H, T, D)
  const project = (name: string, heads: number) =>
    graph.reshape(linear(graph, name, x, bias), [0, 0, heads, headSize]);
  const normalized = (name: string, x: Value) =>
    config.qkNorm ? graph.within(name, () => headNorm(graph, config, x)) : x;

  const query = byHead(rotated(normalized("queryNorm", project("query", heads))));
  const keys = cache.appendKeys(byHead(rotated(normalized("keyNorm", project("key", kvHeads)))));
  const values = cache.appendValues(byHead(project("value", kvHeads)));
  const products = graph.matmul(query, graph.transpose(repeatHeads(graph, config, keys), [0, 1, 3, 2]));
  const scores = graph.multiply(products, graph.number(1 / Math.sqrt(headSize))); // (B, H, T, S)
  const weights = graph.softmax(graph.add(scores, mask));
  const mixed = byHead(graph.matmul(weights, repeatHeads(graph, config, values)));
  return linear(graph, "output", graph.reshape(mixed, [0, 0, heads * headSize]), bias);
}

/** The norm of each head's queries or keys. */
function headNorm(graph: Graph, { normEpsilon, qkNormWeights }: GPTConfig, x: Value): Value {
  const y = scaleToUnit(graph, x, normEpsilon);
  return qkNormWeights ? graph.multiply(y, graph.parameter("weight")) : y;
}

/** (B, H_kv, S, D) → (B, H, S, D): each head of keys or values for the neighboring heads of queries that share it. */
function repeatHeads(graph: Graph, config: GPTConfig, x: Value): Value {
  const { heads } = config;
  const group = heads / kvHeadsOf(config);
  if (group === 1) return x;
  const repeated = graph.expand(graph.unsqueeze(x, [2]), [1, 1, group, 1, 1]); // (B, H_kv, G, S, D)
  return graph.reshape(repeated, [0, heads, -1, headSizeOf(config)]);
}

/** (a, b) → (a·cos − b·sin, a·sin + b·cos), for channel i of a head and channel D/2 + i. */
function rotate(
  graph: Graph,
  x: Value,
  { cosines, sines }: { readonly cosines: Value; readonly sines: Value },
  headSize: number,
): Value {
  const a = graph.slice(x, 3, 0, headSize / 2);
  const b = graph.slice(x, 3, headSize / 2, headSize);
  const first = graph.subtract(graph.multiply(a, cosines), graph.multiply(b, sines));
  const second = graph.add(graph.multiply(a, sines), graph.multiply(b, cosines));
  return graph.concatenate([first, second], 3);
}

/** (B, T, C) → (B, T, C) */
function mlp(graph: Graph, { activation, bias }: GPTConfig, x: Value): Value {
  const up = linear(graph, "up", x, bias);
  switch (activation) {
    case "swiglu":
      return linear(graph, "down", graph.multiply(silu(graph, linear(graph, "gate", x, bias)), up), bias);
    case "relu2": {
      const positive = graph.unary("Relu", up);
      return linear(graph, "down", graph.multiply(positive, positive), bias);
    }
    case "gelu":
      return linear(graph, "down", gelu(graph, up), bias);
    case "gelu-tanh":
      return linear(graph, "down", tanhGelu(graph, up), bias);
  }
}

/** x·σ(x) */
function silu(graph: Graph, x: Value): Value {
  return graph.multiply(x, graph.unary("Sigmoid", x));
}

/** ½x·(1 + erf(x/√2)) */
function gelu(graph: Graph, x: Value): Value {
  const below = graph.unary("Erf", graph.multiply(x, graph.number(Math.SQRT1_2)));
  return graph.multiply(graph.multiply(x, graph.number(0.5)), graph.add(below, graph.number(1)));
}

/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
function tanhGelu(graph: Graph, x: Value): Value {
  const cube = graph.multiply(graph.multiply(x, x), x);
  const inner = graph.add(x, graph.multiply(cube, graph.number(0.044715)));
  const below = graph.unary("Tanh", graph.multiply(inner, graph.number(Math.sqrt(2 / Math.PI))));
  return graph.multiply(graph.multiply(x, graph.number(0.5)), graph.add(below, graph.number(1)));
}

/** Logits from hidden states: (B, T, C) → (B, T, V). */
export function head(graph: Graph, { tieHead, logitCap }: GPTConfig, x: Value): Value {
  const logits = tieHead
    ? graph.matmul(x, graph.transpose(graph.parameter("tokenEmbedding"), [1, 0]))
    : linear(graph, "head", x, false);
  return logitCap === 0 ? logits : softCap(graph, logits, logitCap);
}

/** limit·tanh(x / limit) */
function softCap(graph: Graph, x: Value, limit: number): Value {
  const squashed = graph.unary("Tanh", graph.multiply(x, graph.number(1 / limit)));
  return graph.multiply(squashed, graph.number(limit));
}

/** x / √(mean(x²) + ε) over the last axis. */
function scaleToUnit(graph: Graph, x: Value, epsilon: number): Value {
  const variance = graph.add(graph.mean(graph.multiply(x, x)), graph.number(epsilon));
  return graph.divide(x, graph.unary("Sqrt", variance));
}

/** x·W + b */
function linear(graph: Graph, name: string, x: Value, bias: boolean): Value {
  return graph.within(name, () => {
    const product = graph.matmul(x, graph.parameter("weight"));
    return bias ? graph.add(product, graph.parameter("bias")) : product;
  });
}
