/**
 * GPT-2's forward pass in plain numbers, position by position, with none of the library's ops, kernels or modules:
 * an oracle for the model.
 */
import type { GPTConfig } from "../../src/nn/config.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { Block, sumOver } from "./block.ts";

type Vector = readonly number[];

/** The parameters of a model as blocks, by name. */
export async function parametersOf(model: GPT): Promise<Map<string, Block>> {
  const blocks = new Map<string, Block>();
  for (const [name, tensor] of Object.entries(model.parameters())) {
    blocks.set(name, new Block(tensor.shape, await tensor.read()));
  }
  return blocks;
}

/** The logits of one sequence: a vector of V for each position. */
export function textbookGPT(
  config: GPTConfig,
  parameters: Map<string, Block>,
  ids: readonly number[],
): Vector[] {
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

  /** What each position reads from itself and those before it. */
  const attend = (name: string, xs: readonly Vector[]): Vector[] => {
    const [q, k, v] = ["query", "key", "value"].map((part) => xs.map((x) => affine(`${name}.${part}`, x)));
    const width = dModel / heads;
    return xs.map((_, t) => {
      const mixed = Array.from({ length: dModel }, (_, channel) => {
        const first = channel - (channel % width);
        const power = (s: number) =>
          Math.exp(sumOver(width, (d) => q[t][first + d] * k[s][first + d]) / Math.sqrt(width));
        return sumOver(t + 1, (s) => power(s) * v[s][channel]) / sumOver(t + 1, power);
      });
      return affine(`${name}.output`, mixed);
    });
  };

  const embed = (table: string, i: number) => Array.from({ length: dModel }, (_, c) => of(table).at(i, c));
  let xs = ids.map((id, t) => plus(embed("tokenEmbedding", id), embed("positionEmbedding", t)));
  if (config.bigram) {
    const { vocabSize } = config;
    xs = xs.map((x, t) =>
      plus(x, embed("pairEmbedding", (t === 0 ? vocabSize : ids[t - 1]) * vocabSize + ids[t])),
    );
  }
  for (let layer = 0; layer < layers; layer++) {
    const name = `blocks.${layer}`;
    const attended = attend(
      `${name}.attention`,
      xs.map((x) => norm(`${name}.attentionNorm`, x)),
    );
    xs = xs.map((x, t) => plus(x, attended[t]));
    xs = xs.map((x) => {
      const expanded = affine(`${name}.mlp.expand`, norm(`${name}.mlpNorm`, x));
      return plus(x, affine(`${name}.mlp.contract`, expanded.map(gelu)));
    });
  }
  return xs.map((x) => {
    const last = norm("finalNorm", x);
    if (!config.tieHead) return affine("head", last);
    return Array.from({ length: config.vocabSize }, (_, id) => {
      return sumOver(dModel, (c) => last[c] * of("tokenEmbedding").at(id, c));
    });
  });
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
