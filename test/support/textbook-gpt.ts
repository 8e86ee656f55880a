/**
 * The family's forward passes in plain numbers, position by position, with none of the library's ops, kernels or
 * modules: an oracle for each model.
 */
import type { GPTConfig, ModelConfig } from "../../src/nn/config.ts";
import type { Parameters } from "../../src/nn/parameters.ts";
import { Block, sumOver } from "./block.ts";

type Vector = readonly number[];

/** The parameters of a model as blocks, by name. */
export async function parametersOf(model: { parameters(): Parameters }): Promise<Map<string, Block>> {
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
    return config.bigram ? plus(token, embed("pairEmbedding", before * vocabSize + id)) : token;
  });
  return head(stack("", tokens, "causal"), vocabSize);
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

/** An encoder–decoder's logits for what the decoder reads after a source: a vector of V + 1 for each position. */
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
  const { dModel, layers, heads, activation } = config;
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
    const mean = sumOver(x.length, (i) => x[i]) / x.length;
    const variance = sumOver(x.length, (i) => (x[i] - mean) ** 2) / x.length;
    const bias = parameters.get(`${name}.bias`);
    return x.map((value, i) => {
      return ((value - mean) / Math.sqrt(variance + 1e-5)) * of(`${name}.weight`).at(i) + (bias?.at(i) ?? 0);
    });
  };
  const gelu = (x: number) => (activation === "exact" ? x * normalBelow(x) : tanhGelu(x));

  /** What each position of xs reads from the first `seen(t)` of ys. */
  const attend = (
    name: string,
    xs: readonly Vector[],
    ys: readonly Vector[],
    seen: (t: number) => number,
  ): Vector[] => {
    const q = xs.map((x) => affine(`${name}.query`, x));
    const [k, v] = ["key", "value"].map((part) => ys.map((y) => affine(`${name}.${part}`, y)));
    const width = dModel / heads;
    return xs.map((_, t) => {
      const mixed = Array.from({ length: dModel }, (_, channel) => {
        const first = channel - (channel % width);
        const power = (s: number) =>
          Math.exp(sumOver(width, (d) => q[t][first + d] * k[s][first + d]) / Math.sqrt(width));
        return sumOver(seen(t), (s) => power(s) * v[s][channel]) / sumOver(seen(t), power);
      });
      return affine(`${name}.output`, mixed);
    });
  };

  const embed = (table: string, i: number) => Array.from({ length: dModel }, (_, c) => of(table).at(i, c));

  /** Places, blocks and the last norm, of the stack whose parameters have names that begin with `prefix`. */
  const stack = (
    prefix: string,
    tokens: readonly Vector[],
    mask: "causal" | "none",
    memory: readonly Vector[] | null = null,
  ): Vector[] => {
    let xs = tokens.map((token, t) => plus(token, embed(`${prefix}positionEmbedding`, t)));
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
      xs = xs.map((x) => {
        const expanded = affine(`${name}.mlp.expand`, norm(`${name}.mlpNorm`, x));
        return plus(x, affine(`${name}.mlp.contract`, expanded.map(gelu)));
      });
    }
    return xs.map((x) => norm(`${prefix}finalNorm`, x));
  };

  /** Scores of the first `count` tokens. */
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

/** Φ(x) by Simpson's rule over the density from −12, below which lies less than 10⁻³². */
export function normalBelow(x: number): number {
  const intervals = 4000;
  const width = (x + 12) / intervals;
  const density = (t: number) => Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
  let sum = density(-12) + density(x);
  for (let i = 1; i < intervals; i++) sum += (i % 2 === 1 ? 4 : 2) * density(-12 + i * width);
  return (sum * width) / 3;
}
