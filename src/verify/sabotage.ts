/**
 * Models that are broken on purpose, to show that the checks bite. A break replaces what a model does and leaves its
 * weights alone; the checks are the same as for any other model.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { GPTConfig, ModelConfig } from "../nn/config.ts";
import { GPT } from "../nn/gpt.ts";
import { KVCache } from "../nn/inference/kv-cache.ts";
import { type ForwardOptions, INFERENCE, type KeysAndValues } from "../nn/inputs/forward-options.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { causalMask, type MaskMatrix } from "../nn/layers/textbook-attention.ts";
import { Random } from "../random.ts";

export const BREAKS = ["mask", "shift", "cache", "padding"] as const;
export type Break = (typeof BREAKS)[number];

/** What each break does, in words. */
export const BREAK_MEANINGS: Readonly<Record<Break, string>> = {
  mask: "attention without its mask: every position sees every other",
  shift: "the mask moved on by one: every position sees the next",
  cache: "a cache that loses the keys and values of position 1",
  padding: "padding is attended to, as if it were text",
};

export const seesAll = maskThatShows(() => true);
export const seesNext = maskThatShows((key, position) => key <= position + 1);

/** A model of this configuration with a break in it. Its weights are to be filled in. */
export function brokenModel(how: Break, context: Context, config: GPTConfig): GPT {
  switch (how) {
    case "mask":
      return new Remasked(context, config, seesAll);
    case "shift":
      return new Remasked(context, config, seesNext);
    case "cache":
      return new Forgetful(context, config);
    case "padding":
      // Causal, and blind to where a row begins.
      return new Remasked(context, config, causalMask);
  }
}

/** M with 0 for the keys that the query at `position` is shown, −∞ for the others. */
function maskThatShows(shows: (key: number, position: number) => boolean): MaskMatrix {
  return (queries, keys) =>
    Float64Array.from({ length: queries * keys }, (_, i) => {
      const position = keys - queries + Math.floor(i / keys);
      return shows(i % keys, position) ? 0 : Number.NEGATIVE_INFINITY;
    });
}

/** A GPT whose attention adds this matrix, whatever the model's own mask says. */
class Remasked extends GPT {
  readonly #maskMatrix: MaskMatrix;

  constructor(context: Context, config: GPTConfig, maskMatrix: MaskMatrix) {
    super(context, config, Random.of(0));
    this.#maskMatrix = maskMatrix;
  }

  override forward(tokens: TokenBatch, options: ForwardOptions = INFERENCE): Tensor {
    return super.forward(tokens, { ...options, maskMatrix: this.#maskMatrix });
  }

  override decode(tokens: TokenBatch, cache: KVCache, { lastOnly = false } = {}): Tensor {
    return this.forward(tokens, { cache, random: null, lastOnly });
  }
}

/** A GPT whose cache loses a position. */
class Forgetful extends GPT {
  constructor(context: Context, config: GPTConfig) {
    super(context, config, Random.of(0));
  }

  override makeCache(batchSize: number): KVCache {
    return forgetfulCache(this.context, this.config, batchSize);
  }
}

const FORGOTTEN = 1;

/** An empty cache that will lose a position. */
export function forgetfulCache(
  context: Context,
  { contextLength, dModel, layers }: ModelConfig,
  batchSize: number,
): KVCache {
  return new ForgetfulCache(context, { batchSize, capacity: contextLength, channels: dModel, layers });
}

class ForgetfulCache extends KVCache {
  override write(layer: number, own: KeysAndValues, slots: Int32Array): KeysAndValues {
    const cache = super.write(layer, own, slots);
    for (const tensor of [cache.keys, cache.values]) {
      const [rows, capacity, channels] = tensor.shape;
      for (let row = 0; row < rows && FORGOTTEN < capacity; row++) {
        const at = (row * capacity + FORGOTTEN) * channels;
        tensor.write(new Float64Array(channels), at);
      }
    }
    return cache;
  }
}
