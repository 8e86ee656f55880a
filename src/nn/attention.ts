/** Masked multi-head self-attention: the one place where positions exchange information. */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { attention } from "../ops/attention.ts";
import { dropout } from "../ops/dropout.ts";
import { slice } from "../ops/slice.ts";
import type { Random } from "../random.ts";
import type { GPTConfig } from "./config.ts";
import { residualDeviation, WEIGHT_DEVIATION } from "./initialize.ts";
import { Linear } from "./linear.ts";
import { named, type Parameters } from "./parameters.ts";
import type { Pass } from "./pass.ts";
import { causalMask, textbookAttention } from "./textbook-attention.ts";

export class Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly #config: GPTConfig;
  readonly #layer: number;

  constructor(context: Context, config: GPTConfig, layer: number, random: Random) {
    const sizes = { inputs: config.dModel, outputs: config.dModel, bias: config.bias };
    this.query = new Linear(context, sizes, random, WEIGHT_DEVIATION);
    this.key = new Linear(context, sizes, random, WEIGHT_DEVIATION);
    this.value = new Linear(context, sizes, random, WEIGHT_DEVIATION);
    this.output = new Linear(context, sizes, random, residualDeviation(config.layers));
    this.#config = config;
    this.#layer = layer;
  }

  /** (B, T, C) → (B, T, C). With a cache, x are the positions that follow those in it. */
  forward(x: Tensor, pass: Pass): Tensor {
    const query = this.query.forward(x);
    const key = this.key.forward(x);
    const value = this.value.forward(x);
    const mixed = this.#mix(query, key, value, pass);
    return dropout(this.output.forward(mixed), this.#config.dropout, pass.random);
  }

  parameters(): Parameters {
    return {
      ...named("query", this.query.parameters()),
      ...named("key", this.key.parameters()),
      ...named("value", this.value.parameters()),
      ...named("output", this.output.parameters()),
    };
  }

  /** softmax(QKᵀ/√D + M)·V, over the cached positions too when there is a cache. */
  #mix(query: Tensor, key: Tensor, value: Tensor, { cache, random, maskMatrix }: Pass): Tensor {
    const { heads, dropout } = this.#config;
    const seen = cache?.append(this.#layer, key, value) ?? { keys: key, values: value };
    const keyCount = (cache?.length ?? 0) + key.shape[1];
    if (this.#config.attention === "fused" && maskMatrix === undefined) {
      return attention(query, seen.keys, seen.values, { heads, mask: "causal", keyCount, dropout, random });
    }
    const keys = cache === null ? seen.keys : slice(seen.keys, 1, 0, keyCount);
    const values = cache === null ? seen.values : slice(seen.values, 1, 0, keyCount);
    return textbookAttention(query, keys, values, { heads, mask: maskMatrix ?? causalMask, dropout, random });
  }
}
