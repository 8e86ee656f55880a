/** Tiny models for tests, with distinct sizes where possible. */
import type { Context } from "../../src/autograd/context.ts";
import { GPT2_STYLE, type GPTConfig, type ModelConfig } from "../../src/nn/config.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";
import { Random } from "../../src/random.ts";

export const TINY: GPTConfig = {
  ...GPT2_STYLE,
  vocabSize: 11,
  contextLength: 7,
  layers: 2,
  heads: 3,
  dModel: 6,
  dropout: 0,
  attention: "textbook",
};

/** Each model option with a value other than GPT-2's, and then several combined. */
export const CHOICES: readonly Partial<GPTConfig>[] = [
  { positions: "rotary" },
  { positions: "none" },
  { norm: "rms" },
  { norm: "rms", normWeights: false },
  { normWeights: false },
  { qkNorm: true },
  { activation: "relu2" },
  { activation: "swiglu" },
  { logitCap: 1.5 },
  { positions: "rotary", ropeBase: 5 },
  { normEpsilon: 0.3 },
  { qkNorm: true, normEpsilon: 0.3 },
  { mlpWidth: 5 },
  { activation: "swiglu", mlpWidth: 7 },
  { headSize: 8 },
  { kvHeads: 1 },
  { kvHeads: 2, heads: 4, headSize: 4 },
  { qkNorm: true, qkNormWeights: true },
  {
    positions: "rotary",
    norm: "rms",
    normWeights: false,
    qkNorm: true,
    activation: "relu2",
    logitCap: 2.5,
    bias: false,
    tieHead: false,
    bigram: true,
  },
  {
    positions: "rotary",
    ropeBase: 20,
    norm: "rms",
    normEpsilon: 0.01,
    qkNorm: true,
    qkNormWeights: true,
    activation: "swiglu",
    mlpWidth: 5,
    heads: 6,
    kvHeads: 2,
    headSize: 4,
    bias: false,
  },
];

/** An arbitrary combination of options. */
export function randomChoices(random: Random): Partial<GPTConfig> {
  const pick = <T>(...choices: readonly T[]) => choices[random.below(choices.length)];
  const usual: Partial<GPTConfig> = {
    positions: pick("learned", "rotary", "none"),
    norm: pick("layer", "rms"),
    normWeights: pick(true, false),
    qkNorm: pick(true, false),
    activation: pick("gelu", "gelu-tanh", "relu2", "swiglu"),
    zeroInit: pick(true, false),
    logitCap: pick(0, 2),
    bias: pick(true, false),
    tieHead: pick(true, false),
    bigram: pick(true, false),
  };
  return {
    ...usual,
    kvHeads: pick(0, 1),
    headSize: pick(0, 4),
    mlpWidth: pick(0, 5),
    normEpsilon: pick(1e-5, 0.1),
    ropeBase: pick(10_000, 30),
    qkNormWeights: usual.qkNorm === true && pick(true, false),
  };
}

/**
 * A model in which every part affects the output: all parameters, including biases and norms, are drawn from
 * N(0, deviation²), norm weights around 1. GPT-2's initialization has nearly uniform attention and biases of 0.
 */
export function tinyModel(
  context: Context,
  changes: Partial<GPTConfig> = {},
  seed: number | string = 1,
  deviation = 0.5,
): GPT {
  const random = Random.of(2, "model", seed);
  return scramble(new GPT(context, { ...TINY, ...changes }, random), random, deviation);
}

/** Like `tinyModel`, for an encoder. */
export function tinyEncoder(
  context: Context,
  changes: Partial<ModelConfig> = {},
  seed: number | string = 1,
): Encoder {
  const random = Random.of(2, "encoder", seed);
  return scramble(new Encoder(context, { ...TINY, ...changes }, random), random, 0.5);
}

/** Like `tinyModel`, for an encoder–decoder. */
export function tinySeq2Seq(
  context: Context,
  changes: Partial<ModelConfig> = {},
  seed: number | string = 1,
): EncoderDecoder {
  const random = Random.of(2, "seq2seq", seed);
  return scramble(new EncoderDecoder(context, { ...TINY, ...changes }, random), random, 0.5);
}

function scramble<Model extends { readonly context: Context; parameters(): NamedTensors }>(
  model: Model,
  random: Random,
  deviation: number,
): Model {
  for (const [name, { buffer, size }] of Object.entries(model.parameters())) {
    const center = /norm\.weight$/i.test(name) ? 1 : 0;
    const values = Float64Array.from({ length: size }, () => center + deviation * random.normal());
    model.context.backend.write(buffer, values);
  }
  return model;
}

/** Random token ids for `rows` sequences of equal length. */
export function randomIds(count: number, vocabSize: number, ...names: (string | number)[]): number[] {
  const random = Random.of(5, "ids", ...names);
  return Array.from({ length: count }, () => random.below(vocabSize));
}
