/**
 * What a model computes on the way to its logits. A forward pass keeps none of this, so `inspect` walks through the
 * blocks once more and writes it down.
 */

import type { Tensor } from "../autograd/tensor.ts";
import { checkTypes } from "../util/check-types.ts";
import { headSizeOf } from "./config.ts";
import { Encoder } from "./encoder.ts";
import type { GPT } from "./gpt.ts";
import { blockOptions } from "./inputs/block-options.ts";
import { INFERENCE } from "./inputs/forward-options.ts";
import { checkSequences, type TokenBatch } from "./inputs/token-batch.ts";
import { attentionMap, type MaskMatrix, repeatHeads, splitHeads } from "./layers/textbook-attention.ts";
import { MaskSwitchGPT } from "./mask-switch.ts";

/** Results inside a block: B sequences, T positions, H heads of D channels each; C channels in the residual stream. */
export interface BlockActivations {
  /** Q (B, H, T, D), as the scores use it: normalized and rotated if the model does that. */
  readonly queries: Tensor;
  /** K (B, H, T, D), likewise. Where heads share keys, each has its own copy here. */
  readonly keys: Tensor;
  /** V (B, H, T, D), likewise. */
  readonly values: Tensor;
  /** S = Q·Kᵀ/√D (B, H, T, T): how well key s matches query t, before the mask. */
  readonly scores: Tensor;
  /** M: 0 where a query may attend, −∞ elsewhere. (T, T), or (B, 1, T, T) for a padded batch. */
  readonly mask: Tensor;
  /** A = softmax(S + M) (B, H, T, T): how much query t takes from key s, for each head. Each row sums to 1. */
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

export interface InspectOptions {
  /**
   * Added to the scores instead of the model's mask, to see what a wrong mask does; null for the model's own.
   * Default: what the model's `forward` uses.
   */
  readonly maskMatrix?: MaskMatrix | null;
}

/**
 * Queries, keys, values, scores, mask, attention weights and the residual stream of every block, for tokens (B, T).
 * Without dropout. Values at padding are meaningless.
 *
 * @returns tensors that live as long as the scope in which this is called
 * @throws ShapeError if a sequence is longer than the context, or the batch is malformed
 * @example
 *   const maps = await context.scope("no-grad", async () => {
 *     const { blocks } = inspect(model, { ids: tokenizer.encode("One day"), batchSize: 1 });
 *     return Promise.all(blocks.map(({ attention }) => attention.read()));
 *   });
 */
export function inspect(
  model: GPT | Encoder,
  tokens: TokenBatch,
  { maskMatrix = model instanceof MaskSwitchGPT ? model.maskMatrix : null }: InspectOptions = {},
): Activations {
  checkTypes("inspect", { model }, { model: ["config", "transformer", "head"] });
  const { config, embeddings, transformer, head } = model;
  const isEncoder = model instanceof Encoder;
  checkSequences(isEncoder ? "encoder" : "gpt", tokens, [], config.contextLength);
  const pass = maskMatrix === null ? INFERENCE : { ...INFERENCE, maskMatrix };
  const mask = isEncoder ? "full" : "causal";
  const options = blockOptions(tokens, pass, { mask, positions: embeddings.positions });
  const embedded = embeddings.forward(tokens, pass);
  let x = embedded;
  const blocks = transformer.blocks.map((block) => {
    const { heads } = config;
    const split = (x: Tensor) => repeatHeads(splitHeads(x, headSizeOf(config)), heads);
    const { query, keys, values } = block.attention.project(block.attentionNorm.forward(x), options);
    const map = attentionMap(query, keys, { heads, mask: maskMatrix ?? options.mask });
    x = block.forward(x, options);
    return {
      queries: split(query),
      keys: split(keys),
      values: split(values),
      scores: map.scores,
      mask: map.mask,
      attention: map.weights,
      residual: x,
    };
  });
  return { embedded, blocks, logits: head.forward(transformer.finalNorm.forward(x)) };
}
