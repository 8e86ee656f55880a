/**
 * One attention head in numbers: how the mask turns scores into weights.
 *
 *   S = Q·Kᵀ/√D      A = softmax(S + M)      Y = A·V
 *
 * The numbers come from plain ops on a trained model's weights. The fused kernel computes Y again for comparison.
 */
import type { Tensor } from "../autograd/tensor.ts";
import { ConfigError } from "../errors.ts";
import { headSizeOf } from "../nn/config.ts";
import type { GPT } from "../nn/gpt.ts";
import { inspect } from "../nn/inspect.ts";
import { joinHeads, splitHeads } from "../nn/layers/textbook-attention.ts";
import { attention } from "../ops/attention.ts";
import { maskedAdd } from "../ops/masked-add.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { softmax } from "../ops/softmax.ts";

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
  const { layers, heads } = model.config;
  checkIndex("layer", layer, layers);
  checkIndex("head", head, heads);
  return model.context.scope("no-grad", async () => {
    const {
      queries,
      keys,
      values,
      scores,
      mask,
      attention: weights,
    } = inspect(model, { ids, batchSize: 1 }).blocks[layer];
    const fused = fusedAttention(queries, keys, values);
    const ofHead = (x: Tensor) => matrixOf(headOf(x, head));
    return {
      headSize: headSizeOf(model.config),
      scores: await ofHead(scores),
      mask: await matrixOf(mask),
      masked: await ofHead(maskedAdd(scores, mask)),
      weights: await ofHead(weights),
      weightsWithoutMask: await ofHead(softmax(scores)),
      output: await ofHead(matmul(weights, values)),
      fused: await ofHead(fused),
    };
  });
}

/** Y of all heads from the fused kernel: (1, H, T, D) each */
function fusedAttention(queries: Tensor, keys: Tensor, values: Tensor): Tensor {
  const [, heads, , headSize] = queries.shape;
  const [q, k, v] = [queries, keys, values].map(joinHeads);
  return splitHeads(attention(q, k, v, { heads, mask: "causal" }), headSize);
}

/** Head h of (1, H, T, …): (T, …) */
function headOf(x: Tensor, head: number): Tensor {
  const [, , ...shape] = x.shape;
  return reshape(slice(x, 1, head, head + 1), shape);
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
