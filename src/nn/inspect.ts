/**
 * What a model computes on the way to its logits. A forward pass keeps none of this, so `inspect` walks through the
 * blocks once more and writes it down.
 */

import type { Tensor } from "../autograd/tensor.ts";
import { checkTypes } from "../util/check-types.ts";
import { Encoder } from "./encoder.ts";
import type { GPT } from "./gpt.ts";
import { blockOptions } from "./inputs/block-options.ts";
import { INFERENCE } from "./inputs/forward-options.ts";
import { checkSequences, type TokenBatch } from "./inputs/token-batch.ts";
import { attentionWeights } from "./layers/textbook-attention.ts";

export interface BlockActivations {
  /** Attention weights (B, H, T, T): how much query t takes from key s, for each head. Each row sums to 1. */
  readonly attention: Tensor;
  /** The residual stream after the block (B, T, C). */
  readonly residual: Tensor;
}

export interface Activations {
  /** The input of the first block (B, T, C): token and position embeddings. */
  readonly embedded: Tensor;
  /** One entry per block, in order. */
  readonly blocks: readonly BlockActivations[];
  /** (B, T, V), to the bit what `forward` returns. */
  readonly logits: Tensor;
}

/**
 * The attention weights and the residual stream of every block, for tokens (B, T). Without dropout. Values at padding
 * are meaningless.
 *
 * @returns tensors that live as long as the scope in which this is called
 * @throws ShapeError if a sequence is longer than the context, or the batch is malformed
 * @example
 *   const maps = await context.scope("no-grad", async () => {
 *     const { blocks } = inspect(model, { ids: tokenizer.encode("One day"), batchSize: 1 });
 *     return Promise.all(blocks.map(({ attention }) => attention.read()));
 *   });
 */
export function inspect(model: GPT | Encoder, tokens: TokenBatch): Activations {
  checkTypes("inspect", { model }, { model: ["config", "transformer", "head"] });
  const { config, embeddings, transformer, head } = model;
  const isEncoder = model instanceof Encoder;
  checkSequences(isEncoder ? "encoder" : "gpt", tokens, [], config.contextLength);
  const mask = isEncoder ? "full" : "causal";
  const options = blockOptions(tokens, INFERENCE, { mask, positions: embeddings.positions });
  const embedded = embeddings.forward(tokens, INFERENCE);
  let x = embedded;
  const blocks = transformer.blocks.map((block) => {
    const { query, keys } = block.attention.project(block.attentionNorm.forward(x), options);
    const attention = attentionWeights(query, keys, { heads: config.heads, mask: options.mask });
    x = block.forward(x, options);
    return { attention, residual: x };
  });
  return { embedded, blocks, logits: head.forward(transformer.finalNorm.forward(x)) };
}
