/** The shapes of a GPT's weights by name, without building the model. */
import type { GPTConfig } from "../nn/config.ts";
import { countBigramRows } from "../nn/layers/bigram-embedding.ts";
import type { Shape } from "../shape.ts";
import { sizesOf } from "./sizes.ts";

/** The shape of each of the model's parameters, in the order of `GPT.parameters`. */
export function parameterShapes(config: GPTConfig): Map<string, Shape> {
  const { vocabSize, contextLength, dModel, layers, positions, bigram, tieHead } = config;
  const shapes = new Map<string, Shape>([["tokenEmbedding", [vocabSize, dModel]]]);
  if (positions === "learned") shapes.set("positionEmbedding", [contextLength, dModel]);
  if (bigram) shapes.set("bigramEmbedding", [countBigramRows(vocabSize), dModel]);
  for (let layer = 0; layer < layers; layer++) addBlock(shapes, config, `blocks.${layer}.`);
  addNorm(shapes, config, "finalNorm");
  if (!tieHead) shapes.set("head.weight", [dModel, vocabSize]);
  return shapes;
}

/** The same for a model that has every optional weight: biases, weights of norms, positions, a separate head. */
export function everyParameterShape(config: GPTConfig): Map<string, Shape> {
  const shapes = parameterShapes({
    ...config,
    ...{ bias: true, norm: "layer", normWeights: true, positions: "learned", tieHead: false },
    ...{ qkNorm: true, qkNormWeights: true },
  });
  const { headSize } = sizesOf(config);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const norm of ["queryNorm", "keyNorm"]) {
      shapes.set(`blocks.${layer}.attention.${norm}.weight`, [headSize]);
    }
  }
  return shapes;
}

function addBlock(shapes: Map<string, Shape>, config: GPTConfig, block: string): void {
  const { dModel, heads, activation } = config;
  const { headSize, kvHeads, mlpWidth } = sizesOf(config);
  const [queries, keys] = [heads * headSize, kvHeads * headSize];
  const linear = (name: string, inputs: number, outputs: number) => {
    shapes.set(`${block}${name}.weight`, [inputs, outputs]);
    if (config.bias) shapes.set(`${block}${name}.bias`, [outputs]);
  };
  addNorm(shapes, config, `${block}attentionNorm`);
  linear("attention.query", dModel, queries);
  linear("attention.key", dModel, keys);
  linear("attention.value", dModel, keys);
  linear("attention.output", queries, dModel);
  if (config.qkNormWeights) {
    for (const name of ["queryNorm", "keyNorm"]) shapes.set(`${block}attention.${name}.weight`, [headSize]);
  }
  addNorm(shapes, config, `${block}mlpNorm`);
  if (activation === "swiglu") linear("mlp.gate", dModel, mlpWidth);
  linear("mlp.up", dModel, mlpWidth);
  linear("mlp.down", mlpWidth, dModel);
}

function addNorm(
  shapes: Map<string, Shape>,
  { normWeights, bias, norm, dModel }: GPTConfig,
  name: string,
): void {
  if (normWeights) shapes.set(`${name}.weight`, [dModel]);
  if (bias && norm === "layer") shapes.set(`${name}.bias`, [dModel]);
}
