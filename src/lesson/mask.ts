/**
 * One attention head in numbers: how the mask turns scores into weights.
 *
 *   S = Q·Kᵀ/√D      A = softmax(S + M)      Y = A·V
 *
 * The numbers come from plain ops on a trained model's weights. The fused kernel computes Y again for comparison.
 */
import type { Tensor } from "../autograd/tensor.ts";
import { ConfigError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import { blockOptions } from "../nn/inputs/block-options.ts";
import { INFERENCE } from "../nn/inputs/forward-options.ts";
import { causalMask } from "../nn/layers/textbook-attention.ts";
import { attention } from "../ops/attention.ts";
import { maskedAdd } from "../ops/masked-add.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape } from "../ops/reshape.ts";
import { scale } from "../ops/scale.ts";
import { slice } from "../ops/slice.ts";
import { softmax } from "../ops/softmax.ts";
import { transpose } from "../ops/transpose.ts";

/** A matrix as a list of rows. */
export type Matrix = readonly (readonly number[])[];

export interface MaskLesson {
  /** D, the channels of the head. */
  readonly headSize: number;
  /** S (T, T) */
  readonly scores: Matrix;
  /** M (T, T) */
  readonly mask: Matrix;
  /** S + M (T, T) */
  readonly masked: Matrix;
  /** A (T, T) */
  readonly weights: Matrix;
  /** softmax(S), the weights without a mask (T, T) */
  readonly weightsWithoutMask: Matrix;
  /** Y (T, D) */
  readonly output: Matrix;
  /** Y from the fused kernel (T, D) */
  readonly fused: Matrix;
}

/**
 * Computes every intermediate result of one attention head.
 *
 * @param ids one sequence of token ids
 * @throws ConfigError if the model has no such layer or head
 * @throws ShapeError if the sequence is longer than the context
 */
export async function teachMask(
  model: GPT,
  ids: ArrayLike<number>,
  { layer, head }: { readonly layer: number; readonly head: number },
): Promise<MaskLesson> {
  const { layers, heads, dModel } = model.config;
  checkIndex("layer", layer, layers);
  checkIndex("head", head, heads);
  const positions = ids.length;
  const headSize = dModel / heads;
  return model.context.scope("no-grad", async () => {
    const { query, keys, values } = attentionInputs(model, ids, layer);
    const ofHead = (x: Tensor) =>
      reshape(slice(x, 2, head * headSize, (head + 1) * headSize), [positions, headSize]);
    const [q, k, v] = [query, keys, values].map(ofHead);

    const scores = scale(matmul(q, transpose(k)), 1 / Math.sqrt(headSize)); // (T, T)
    const mask = model.context.constant([positions, positions], causalMask(positions, positions));
    const masked = maskedAdd(scores, mask);
    const weights = softmax(masked);
    const output = matmul(weights, v); // (T, D)

    return {
      headSize,
      scores: await matrixOf(scores),
      mask: await matrixOf(mask),
      masked: await matrixOf(masked),
      weights: await matrixOf(weights),
      weightsWithoutMask: await matrixOf(softmax(scores)),
      output: await matrixOf(output),
      fused: await matrixOf(ofHead(attention(query, keys, values, { heads, mask: "causal" }))),
    };
  });
}

/** Q, K and V of all heads in a layer, (1, T, C) each. */
function attentionInputs(model: GPT, ids: ArrayLike<number>, layer: number) {
  const tokens = { ids, batchSize: 1 };
  const { embeddings, transformer } = model;
  const options = blockOptions(tokens, INFERENCE, { mask: "causal", positions: embeddings.positions });
  let x = embeddings.forward(tokens, INFERENCE);
  for (const block of transformer.blocks.slice(0, layer)) x = block.forward(x, options);
  const { attention, attentionNorm } = transformer.blocks[layer];
  return attention.project(attentionNorm.forward(x), options);
}

async function matrixOf(tensor: Tensor): Promise<Matrix> {
  const [rows, columns] = tensor.shape;
  const values = Array.from(await tensor.read());
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

function checkIndex(name: "layer" | "head", index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new ConfigError(`\`${name}\` must be in 0 … ${count - 1} for this model: got ${index}`);
}
