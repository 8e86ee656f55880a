/** Masked multi-head attention: the one place where positions exchange information. */
import type { Context } from "../../autograd/context.ts";
import { Tensor } from "../../autograd/tensor.ts";
import { attention } from "../../ops/attention.ts";
import { dropout } from "../../ops/dropout.ts";
import { rotate } from "../../ops/rotary.ts";
import { slice } from "../../ops/slice.ts";
import type { Mask } from "../../ops/softmax.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import type { LayerKeysAndValues } from "../inference/kv-cache.ts";
import { INIT_STD, outputDeviation } from "../initialize.ts";
import type { EncoderOutput, ForwardOptions } from "../inputs/forward-options.ts";
import { type AttentionMask, cachedMask, crossMask, selfMask } from "../inputs/mask.ts";
import { type NamedTensors, named } from "../parameters.ts";
import { Linear } from "./linear.ts";
import { normalizeHeads } from "./qk-norm.ts";
import { type MaskMatrix, textbookAttention } from "./textbook-attention.ts";

export class Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly #config: BlockConfig;
  readonly #layer: number;
  readonly #mask: Mask;

  /** @param mask what self-attention may see: "causal" in a decoder, "none" in an encoder */
  constructor(context: Context, config: BlockConfig, layer: number, mask: Mask, random: Random) {
    const sizes = { inputs: config.dModel, outputs: config.dModel, bias: config.bias };
    this.query = new Linear(context, sizes, random, INIT_STD);
    this.key = new Linear(context, sizes, random, INIT_STD);
    this.value = new Linear(context, sizes, random, INIT_STD);
    this.output = new Linear(context, sizes, random, outputDeviation(config));
    this.#config = config;
    this.#layer = layer;
    this.#mask = mask;
  }

  /** Self-attention: (B, T, C) → (B, T, C). With a cache, x are the positions that follow those in it. */
  forward(x: Tensor, pass: ForwardOptions): Tensor {
    const { cache, padding, maskMatrix } = pass;
    const own = this.inputs(x, pass);
    const positions = x.shape[1];
    if (cache === null) {
      return this.#attend(own.query, own, maskMatrix ?? selfMask(this.#mask, padding, positions), pass);
    }
    const step = cache.openStep;
    const mask = maskMatrix ?? step?.windows ?? cachedMask(cache.lengths, padding, positions);
    const keyCount = step?.keyCount ?? cache.lengthAfter(positions, padding);
    return this.#attend(own.query, cache.append(this.#layer, own, padding), mask, pass, keyCount);
  }

  /**
   * Cross-attention: queries from x (B, T, C), keys and values from the states of a source. Nothing is turned by its
   * place: those of a source and of an answer count from two starts.
   */
  cross(x: Tensor, memory: EncoderOutput, pass: ForwardOptions): Tensor {
    const query = this.#normed(this.query.forward(x));
    const source = memory.projected?.[this.#layer] ?? this.project(memory.states);
    return this.#attend(query, source, crossMask(memory.padding, source.keys.shape[1]), pass);
  }

  /** Queries, keys and values of x (B, T, C) as they meet in self-attention: normalized and turned where that is so. */
  inputs(
    x: Tensor,
    { rotation }: Pick<ForwardOptions, "rotation">,
  ): LayerKeysAndValues & { readonly query: Tensor } {
    const turned = (heads: Tensor) =>
      rotation === undefined ? heads : rotate(heads, rotation.angles, rotation.places);
    const query = turned(this.#normed(this.query.forward(x)));
    const { keys, values } = this.project(x);
    // Keys are turned before they are cached: they keep their place for good.
    return { query, keys: turned(keys), values };
  }

  /** The keys and values of states (B, S, C). */
  project(states: Tensor): LayerKeysAndValues {
    return { keys: this.#normed(this.key.forward(states)), values: this.value.forward(states) };
  }

  parameters(): NamedTensors {
    return {
      ...named("query", this.query.parameters()),
      ...named("key", this.key.parameters()),
      ...named("value", this.value.parameters()),
      ...named("output", this.output.parameters()),
    };
  }

  /** Queries or keys as they meet. */
  #normed(x: Tensor): Tensor {
    return this.#config.qkNorm ? normalizeHeads(x, this.#config.heads) : x;
  }

  /** softmax(QKᵀ/√D + M)·V·W_O; of keys and values, the first `keyCount` of each sequence. */
  #attend(
    query: Tensor,
    { keys, values }: LayerKeysAndValues,
    mask: AttentionMask | MaskMatrix | Tensor,
    { random }: ForwardOptions,
    keyCount = keys.shape[1],
  ): Tensor {
    const { heads, dropout: probability } = this.#config;
    const isFused = this.#config.attention === "fused" && typeof mask !== "function";
    // Windows are in a tensor only where a step is taken, which is always fused.
    const fused = mask instanceof Tensor || isFused;
    const mixed = fused
      ? attention(query, keys, values, { heads, dropout: probability, random, mask, keyCount })
      : textbookAttention(query, first(keys, keyCount), first(values, keyCount), {
          ...{ heads, dropout: probability, random },
          mask,
        });
    return dropout(this.output.forward(mixed), probability, random);
  }
}

/** The first positions of each sequence. */
function first(x: Tensor, count: number): Tensor {
  return x.shape[1] === count ? x : slice(x, 1, 0, count);
}
