/**
 * GPTs with injected faults, to show that the checks catch them. A fault changes the computation, not the weights, and
 * the checks are the same as for any other model.
 */
import type { Context } from "../autograd/context.ts";
import type { GPTConfig, ModelConfig } from "../nn/config.ts";
import { GPT } from "../nn/gpt.ts";
import { KVCache } from "../nn/inference/kv-cache.ts";
import type { KeysAndValues } from "../nn/inputs/forward-options.ts";
import { causalMask, type MaskMatrix } from "../nn/layers/textbook-attention.ts";
import { MaskSwitchGPT } from "../nn/mask-switch.ts";
import { Random } from "../random.ts";
import { showAll, showNext } from "./wrong-masks.ts";

export const BREAKS = ["mask", "shift", "cache", "padding"] as const;
export type Break = (typeof BREAKS)[number];

/** Describes each fault. */
export const BREAK_DESCRIPTIONS: Readonly<Record<Break, string>> = {
  mask: "there is no causal mask, so every position attends to every other",
  shift: "the causal mask is shifted by one, so every position attends to the next",
  cache: "the KV cache loses the keys and values of position 1",
  padding: "positions attend to padding as if it were text",
};

/** Returns a model with a fault. The caller fills in the weights. */
export function brokenGPT(how: Break, context: Context, config: GPTConfig): GPT {
  switch (how) {
    case "mask":
      return remaskedGPT(context, config, showAll);
    case "shift":
      return remaskedGPT(context, config, showNext);
    case "cache":
      return new LossyCacheGPT(context, config);
    case "padding":
      // Causal, but ignores where a row begins.
      return remaskedGPT(context, config, causalMask);
  }
}

/** A GPT whose attention adds this matrix instead of the model's own mask. */
function remaskedGPT(context: Context, config: GPTConfig, maskMatrix: MaskMatrix): GPT {
  const model = new MaskSwitchGPT(context, config, Random.of(0));
  model.maskMatrix = maskMatrix;
  return model;
}

/** A GPT whose KV cache loses a position. */
class LossyCacheGPT extends GPT {
  constructor(context: Context, config: GPTConfig) {
    super(context, config, Random.of(0));
  }

  override makeCache(batchSize: number): KVCache {
    return lossyCache(this.context, this.config, batchSize);
  }
}

const LOST_POSITION = 1;

/** Returns an empty KV cache that loses a position. */
export function lossyCache(
  context: Context,
  { contextLength, dModel, layers }: ModelConfig,
  batchSize: number,
): KVCache {
  return new LossyCache(context, { batchSize, capacity: contextLength, channels: dModel, layers });
}

class LossyCache extends KVCache {
  override write(layer: number, own: KeysAndValues, slots: Int32Array): KeysAndValues {
    const cache = super.write(layer, own, slots);
    for (const tensor of [cache.keys, cache.values]) {
      const [rows, capacity, channels] = tensor.shape;
      for (let row = 0; row < rows && LOST_POSITION < capacity; row++) {
        const at = (row * capacity + LOST_POSITION) * channels;
        tensor.write(new Float64Array(channels), at);
      }
    }
    return cache;
  }
}
