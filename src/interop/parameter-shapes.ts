/** The shapes of a model's weights by name, without building the model. */
import type { GPTConfig, ModelConfig } from "../nn/config.ts";
import { countBigramRows } from "../nn/layers/bigram-embedding.ts";
import type { Shape } from "../shape.ts";
import { sizesOf } from "./sizes.ts";

/** The shape of each of the model's parameters, in the order of `GPT.parameters`. */
export function parameterShapes(config: GPTConfig): Map<string, Shape> {
  const { vocabSize, contextLength, dModel, positions, bigram, tieHead } = config;
  const shapes = new Map<string, Shape>([["tokenEmbedding", [vocabSize, dModel]]]);
  if (positions === "learned") shapes.set("positionEmbedding", [contextLength, dModel]);
  if (bigram) shapes.set("bigramEmbedding", [countBigramRows(vocabSize), dModel]);
  addTransformer(shapes, config, "", ["attention"]);
  if (!tieHead) shapes.set("head.weight", [dModel, vocabSize]);
  return shapes;
}

const EVERY_WEIGHT = { bias: true, norm: "layer", normWeights: true, positions: "learned" } as const;

/** The same for a model that has every optional weight: biases, weights of norms, positions, a separate head. */
export function everyParameterShape(config: GPTConfig): Map<string, Shape> {
  const shapes = parameterShapes({
    ...config,
    ...EVERY_WEIGHT,
    ...{ tieHead: false, qkNorm: true, qkNormWeights: true },
  });
  const { headSize } = sizesOf(config);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const norm of ["queryNorm", "keyNorm"]) {
      shapes.set(`blocks.${layer}.attention.${norm}.weight`, [headSize]);
    }
  }
  return shapes;
}

/** The shape of each parameter of an encoder–decoder, in the order of `EncoderDecoder.parameters`. */
export function encoderDecoderShapes(config: ModelConfig): Map<string, Shape> {
  const { vocabSize, contextLength, dModel, positions, tieHead } = config;
  const shapes = new Map<string, Shape>([["tokenEmbedding", [vocabSize + 2, dModel]]]);
  for (const [stack, attentions] of STACKS) {
    if (positions === "learned") shapes.set(`${stack}positionEmbedding`, [contextLength, dModel]);
    addTransformer(shapes, config, stack, attentions);
  }
  if (!tieHead) shapes.set("head.weight", [dModel, vocabSize + 1]);
  return shapes;
}

const STACKS = [
  ["encoder.", ["attention"]],
  ["decoder.", ["attention", "cross"]],
] as const;

/** The same for an encoder–decoder that has biases, norm weights and positions. */
export function everyEncoderDecoderShape(config: ModelConfig): Map<string, Shape> {
  return encoderDecoderShapes({ ...config, ...EVERY_WEIGHT });
}

function addTransformer(
  shapes: Map<string, Shape>,
  config: ModelConfig,
  stack: string,
  attentions: readonly string[],
): void {
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `${stack}blocks.${layer}.`;
    for (const name of attentions) addAttention(shapes, config, block, name);
    addMLP(shapes, config, block);
  }
  addNorm(shapes, config, `${stack}finalNorm`);
}

/** Self-attention or cross-attention, with the norm before it. */
function addAttention(
  shapes: Map<string, Shape>,
  config: ModelConfig,
  block: string,
  attention: string,
): void {
  const { dModel, heads } = config;
  const { headSize, kvHeads } = sizesOf(config);
  const [queries, keys] = [heads * headSize, kvHeads * headSize];
  const name = `${block}${attention}`;
  addNorm(shapes, config, `${name}Norm`);
  addLinear(shapes, config, `${name}.query`, [dModel, queries]);
  addLinear(shapes, config, `${name}.key`, [dModel, keys]);
  addLinear(shapes, config, `${name}.value`, [dModel, keys]);
  addLinear(shapes, config, `${name}.output`, [queries, dModel]);
  if (!config.qkNormWeights) return;
  for (const norm of ["queryNorm", "keyNorm"]) shapes.set(`${name}.${norm}.weight`, [headSize]);
}

function addMLP(shapes: Map<string, Shape>, config: ModelConfig, block: string): void {
  const { dModel, activation } = config;
  const { mlpWidth } = sizesOf(config);
  addNorm(shapes, config, `${block}mlpNorm`);
  if (activation === "swiglu") addLinear(shapes, config, `${block}mlp.gate`, [dModel, mlpWidth]);
  addLinear(shapes, config, `${block}mlp.up`, [dModel, mlpWidth]);
  addLinear(shapes, config, `${block}mlp.down`, [mlpWidth, dModel]);
}

function addLinear(
  shapes: Map<string, Shape>,
  { bias }: ModelConfig,
  name: string,
  [inputs, outputs]: readonly [number, number],
): void {
  shapes.set(`${name}.weight`, [inputs, outputs]);
  if (bias) shapes.set(`${name}.bias`, [outputs]);
}

function addNorm(
  shapes: Map<string, Shape>,
  { normWeights, bias, norm, dModel }: ModelConfig,
  name: string,
): void {
  if (normWeights) shapes.set(`${name}.weight`, [dModel]);
  if (bias && norm === "layer") shapes.set(`${name}.bias`, [dModel]);
}
