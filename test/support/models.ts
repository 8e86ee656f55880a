/** Tiny models for tests, with sizes that are distinct wherever they can be. */
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

/** Each choice that a model leaves open, made otherwise than GPT-2 makes it; then several together. */
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
];

/** Any of the choices, each by itself. */
export function randomChoices(random: Random): Partial<GPTConfig> {
  const pick = <T>(...choices: readonly T[]) => choices[random.below(choices.length)];
  return {
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
}

/**
 * A model every part of which matters: all parameters, biases and norms too, are drawn from N(0, deviation²), where
 * GPT-2's own start leaves attention all but uniform and biases at 0. The norms' weights are drawn around 1.
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

/** The same, for an encoder. */
export function tinyEncoder(
  context: Context,
  changes: Partial<ModelConfig> = {},
  seed: number | string = 1,
): Encoder {
  const random = Random.of(2, "encoder", seed);
  return scramble(new Encoder(context, { ...TINY, ...changes }, random), random, 0.5);
}

/** The same, for an encoder–decoder. */
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

/** Random token ids for `rows` sequences of one length. */
export function randomIds(count: number, vocabSize: number, ...names: (string | number)[]): number[] {
  const random = Random.of(5, "ids", ...names);
  return Array.from({ length: count }, () => random.below(vocabSize));
}
