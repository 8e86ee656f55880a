/**
 * The models' forward passes in plain numbers, position by position, without the library's ops, kernels or modules: an
 * oracle for each model.
 */
import type { GPTConfig, ModelConfig } from "../../src/nn/config.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";
import { Block, sumOver } from "./block.ts";

type Vector = readonly number[];

/** The parameters of a model as blocks, by name. */
export async function parametersOf(model: { parameters(): NamedTensors }): Promise<Map<string, Block>> {
  const blocks = new Map<string, Block>();
  for (const [name, tensor] of Object.entries(model.parameters())) {
    blocks.set(name, new Block(tensor.shape, await tensor.read()));
  }
  return blocks;
}

/** GPT's logits of one sequence: a vector of V for each position. */
export function textbookGPT(
  config: GPTConfig,
  parameters: Map<string, Block>,
  ids: readonly number[],
): Vector[] {
  const { stack, embed, plus, head } = textbook(config, parameters);
  const { vocabSize } = config;
  const tokens = ids.map((id, t) => {
    const token = embed("tokenEmbedding", id);
    const before = t === 0 ? vocabSize : ids[t - 1];
    return config.bigram ? plus(token, embed("bigramEmbedding", before * vocabSize + id)) : token;
  });
  const { logitCap: cap } = config;
  const logits = head(stack("", tokens, "causal"), vocabSize);
  return cap === 0 ? logits : logits.map((row) => row.map((logit) => cap * Math.tanh(logit / cap)));
}

/** An encoder's logits of one sequence: a vector of V for each position. */
export function textbookEncoder(
  config: ModelConfig,
  parameters: Map<string, Block>,
  ids: readonly number[],
): Vector[] {
  const { stack, embed, head } = textbook(config, parameters);
  const tokens = ids.map((id) => embed("tokenEmbedding", id));
  return head(stack("", tokens, "none"), config.vocabSize);
}

/** An encoder–decoder's logits for the decoder's input, given a source: a vector of V + 1 for each position. */
export function textbookSeq2Seq(
  config: ModelConfig,
  parameters: Map<string, Block>,
  source: readonly number[],
  ids: readonly number[],
): Vector[] {
  const { stack, embed, head } = textbook(config, parameters);
  const [read, written] = [source, ids].map((each) => each.map((id) => embed("tokenEmbedding", id)));
  const memory = stack("encoder.", read, "none");
  return head(stack("decoder.", written, "causal", memory), config.vocabSize + 1);
}

function textbook(config: ModelConfig, parameters: Map<string, Block>) {
  const { dModel, layers, heads, activation, normEpsilon, ropeBase } = config;
  const of = (name: string): Block => {
    const block = parameters.get(name);
    if (block === undefined) throw new Error(`no parameter ${name}`);
    return block;
  };
  const plus = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]);
  const affine = (name: string, x: Vector): Vector => {
    const weight = of(`${name}.weight`);
    const bias = parameters.get(`${name}.bias`);
    return Array.from({ length: weight.shape[1] }, (_, o) => {
      return sumOver(x.length, (i) => x[i] * weight.at(i, o)) + (bias?.at(o) ?? 0);
    });
  };
  const norm = (name: string, x: Vector): Vector => {
    const mean = config.norm === "layer" ? sumOver(x.length, (i) => x[i]) / x.length : 0;
    const variance = sumOver(x.length, (i) => (x[i] - mean) ** 2) / x.length;
    const [weight, bias] = ["weight", "bias"].map((part) => parameters.get(`${name}.${part}`));
    return x.map((value, i) => {
      return ((value - mean) / Math.sqrt(variance + normEpsilon)) * (weight?.at(i) ?? 1) + (bias?.at(i) ?? 0);
    });
  };
  const mlp = (name: string, x: Vector): Vector => {
    const expanded = affine(`${name}.up`, x);
    const gate = activation === "swiglu" ? affine(`${name}.gate`, x) : [];
    const hidden = expanded.map((value, i) => {
      if (activation === "gelu") return value * normalBelow(value);
      if (activation === "gelu-tanh") return tanhGelu(value);
      if (activation === "relu2") return Math.max(0, value) ** 2;
      return (gate[i] / (1 + Math.exp(-gate[i]))) * value;
    });
    return affine(`${name}.down`, hidden);
  };
  const width = config.headSize === 0 ? dModel / heads : config.headSize;
  const kvHeads = config.kvHeads === 0 ? heads : config.kvHeads;
  /** Normalizes each head's part of a query or key to a root mean square of 1, if the model has qkNorm. */
  const level = (name: string, x: Vector): Vector => {
    if (!config.qkNorm) return x;
    const weight = config.qkNormWeights ? of(`${name}.weight`) : null;
    return x.map((value, channel) => {
      const first = channel - (channel % width);
      const square = sumOver(width, (d) => x[first + d] ** 2) / width;
      return (value / Math.sqrt(square + normEpsilon)) * (weight?.at(channel % width) ?? 1);
    });
  };
  /** Rotates a query or key at position t, if positions are rotary: channels d and d + D/2 of a head form a point. */
  const turn = (x: Vector, t: number): Vector => {
    if (config.positions !== "rotary") return x;
    return x.map((value, channel) => {
      const d = channel % width;
      const pair = d % (width / 2);
      const angle = t * ropeBase ** ((-2 * pair) / width);
      const isFirst = d < width / 2;
      const partner = x[isFirst ? channel + width / 2 : channel - width / 2];
      return value * Math.cos(angle) + (isFirst ? -partner : partner) * Math.sin(angle);
    });
  };

  /** The attention of each position of xs over the first `seen(t)` positions of ys. */
  const attend = (
    name: string,
    xs: readonly Vector[],
    ys: readonly Vector[],
    seen: (t: number) => number,
  ): Vector[] => {
    // Positions of a source and of an answer are unrelated, so cross-attention is not rotated.
    const placed = (x: Vector, t: number) => (xs === ys ? turn(x, t) : x);
    const q = xs.map((x, t) => placed(level(`${name}.queryNorm`, affine(`${name}.query`, x)), t));
    const k = ys.map((y, t) => placed(level(`${name}.keyNorm`, affine(`${name}.key`, y)), t));
    const v = ys.map((y) => affine(`${name}.value`, y));
    return xs.map((_, t) => {
      const mixed = Array.from({ length: heads * width }, (_, channel) => {
        const first = channel - (channel % width);
        // Query heads 0, 1, … share key head 0, and so on.
        const shared = Math.floor(Math.floor(channel / width) / (heads / kvHeads)) * width;
        const power = (s: number) =>
          Math.exp(sumOver(width, (d) => q[t][first + d] * k[s][shared + d]) / Math.sqrt(width));
        return sumOver(seen(t), (s) => power(s) * v[s][shared + (channel % width)]) / sumOver(seen(t), power);
      });
      return affine(`${name}.output`, mixed);
    });
  };

  const embed = (table: string, i: number) => Array.from({ length: dModel }, (_, c) => of(table).at(i, c));

  /** Positions, blocks and the final norm of the Transformer whose parameter names begin with `prefix`. */
  const stack = (
    prefix: string,
    tokens: readonly Vector[],
    mask: "causal" | "none",
    memory: readonly Vector[] | null = null,
  ): Vector[] => {
    let xs = tokens.map((token, t) => {
      return config.positions === "learned" ? plus(token, embed(`${prefix}positionEmbedding`, t)) : token;
    });
    const seen = (t: number) => (mask === "causal" ? t + 1 : xs.length);
    for (let layer = 0; layer < layers; layer++) {
      const name = `${prefix}blocks.${layer}`;
      const normed = (part: string) => xs.map((x) => norm(`${name}.${part}`, x));
      const own = normed("attentionNorm");
      const attended = attend(`${name}.attention`, own, own, seen);
      xs = xs.map((x, t) => plus(x, attended[t]));
      if (memory !== null) {
        const looked = attend(`${name}.cross`, normed("crossNorm"), memory, () => memory.length);
        xs = xs.map((x, t) => plus(x, looked[t]));
      }
      xs = xs.map((x) => plus(x, mlp(`${name}.mlp`, norm(`${name}.mlpNorm`, x))));
    }
    return xs.map((x) => norm(`${prefix}finalNorm`, x));
  };

  /** Logits of the first `count` tokens. */
  const head = (xs: readonly Vector[], count: number): Vector[] =>
    xs.map((x) => {
      if (!config.tieHead) return affine("head", x);
      return Array.from({ length: count }, (_, id) => {
        return sumOver(dModel, (c) => x[c] * of("tokenEmbedding").at(id, c));
      });
    });

  return { stack, embed, plus, head };
}

function tanhGelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** Φ(x), by Simpson's rule over the density from −12 on; the probability below that is less than 10⁻³². */
export function normalBelow(x: number): number {
  const intervals = 4000;
  const width = (x + 12) / intervals;
  const density = (t: number) => Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
  let sum = density(-12) + density(x);
  for (let i = 1; i < intervals; i++) sum += (i % 2 === 1 ? 4 : 2) * density(-12 + i * width);
  return (sum * width) / 3;
}
