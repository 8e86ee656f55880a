/** Masked multi-head attention: the layer that mixes information across positions. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask } from "../../backend/backend.ts";
import { attention } from "../../ops/attention.ts";
import { dropout } from "../../ops/dropout.ts";
import { rotary } from "../../ops/rotary.ts";
import type { Random } from "../../random.ts";
import { type BlockConfig, headSizeOf, kvChannelsOf } from "../config.ts";
import { INIT_STD, outputStd } from "../initialize.ts";
import type { BlockOptions, EncoderOutput, KeysAndValues } from "../inputs/forward-options.ts";
import { laterQueries, paddingMask } from "../inputs/mask.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { lastPosition } from "./last-position.ts";
import { Linear } from "./linear.ts";
import { QKNorm } from "./qk-norm.ts";
import { textbookAttention } from "./textbook-attention.ts";

export class Attention {
  /** (C, H·D) */
  readonly query: Linear;
  /** (C, H_kv·D) */
  readonly key: Linear;
  /** (C, H_kv·D) */
  readonly value: Linear;
  /** (H·D, C) */
  readonly output: Linear;
  /** null without qkNorm. */
  readonly queryNorm: QKNorm | null;
  readonly keyNorm: QKNorm | null;
  readonly #config: BlockConfig;
  readonly #layer: number;

  /**
   * @param place.layer  the index of the block, from 0; selects the layer of the cache
   * @param place.writes as in `outputStd`
   */
  constructor(
    context: Context,
    config: BlockConfig,
    { layer, writes }: { readonly layer: number; readonly writes: number },
    random: Random,
  ) {
    const { dModel, heads, bias, qkNorm } = config;
    const channels = heads * headSizeOf(config);
    const from = { inputs: dModel, outputs: kvChannelsOf(config), bias };
    this.query = new Linear(context, { ...from, outputs: channels }, random, INIT_STD);
    this.key = new Linear(context, from, random, INIT_STD);
    this.value = new Linear(context, from, random, INIT_STD);
    const to = { inputs: channels, outputs: dModel, bias };
    this.output = new Linear(context, to, random, outputStd(config, writes));
    this.queryNorm = qkNorm ? new QKNorm(context, config) : null;
    this.keyNorm = qkNorm ? new QKNorm(context, config) : null;
    this.#config = config;
    this.#layer = layer;
  }

  /**
   * Self-attention: (B, T, C) → (B, T, C), or (B, 1, C) with `lastOnly`. With a cache, queries also see the cached keys.
   */
  forward(x: Tensor, options: BlockOptions): Tensor {
    const { query, ...own } = this.project(x, options);
    const { decode, mask, lastOnly } = options;
    const source = decode === null ? own : decode.append(this.#layer, own);
    if (!lastOnly) return this.#attend(query, source, mask, options);
    // Other positions are still keys, but their queries are not read.
    return this.#attend(lastPosition(query), source, laterQueries(mask, x.shape[1] - 1), options);
  }

  /**
   * Cross-attention: queries from x (B, T, C), keys and values from the encoder output. No rotary positions, because
   * the distance between positions of two different sequences means nothing.
   */
  crossForward(x: Tensor, encoderOutput: EncoderOutput, options: BlockOptions): Tensor {
    const { states, padding, projected } = encoderOutput;
    const query = this.#queries(x);
    const source = projected === undefined ? this.keysAndValues(states) : projected[this.#layer];
    const mask = paddingMask("full", padding, states.shape[1]);
    return this.#attend(query, source, mask, { random: options.random });
  }

  /** Queries, keys and values of x (B, T, C) for self-attention, normalized and rotated if the model does that. */
  project(
    x: Tensor,
    { rotation }: Pick<BlockOptions, "rotation">,
  ): KeysAndValues & { readonly query: Tensor } {
    const rotated = (heads: Tensor) =>
      rotation === null ? heads : rotary(heads, rotation.angles, rotation.positions);
    const query = rotated(this.#queries(x));
    const { keys, values } = this.keysAndValues(x);
    // Keys can be rotated before they are cached, because a token's position never changes.
    return { query, keys: rotated(keys), values };
  }

  /** Keys and values of states (B, S, C): (B, S, H_kv·D) each. */
  keysAndValues(states: Tensor): KeysAndValues {
    const keys = this.key.forward(states);
    return { keys: this.keyNorm?.forward(keys) ?? keys, values: this.value.forward(states) };
  }

  parameters(): NamedTensors {
    const { query, key, value, output, queryNorm, keyNorm } = this;
    return parametersOf({ query, key, value, output, queryNorm, keyNorm });
  }

  /** (B, T, C) → (B, T, H·D) */
  #queries(x: Tensor): Tensor {
    const queries = this.query.forward(x);
    return this.queryNorm?.forward(queries) ?? queries;
  }

  /** softmax(Q·Kᵀ/√D + M)·V·W_O */
  #attend(
    query: Tensor,
    source: KeysAndValues,
    mask: AttentionMask,
    { random, maskMatrix }: Pick<BlockOptions, "random" | "maskMatrix">,
  ): Tensor {
    const { heads, dropout: probability } = this.#config;
    const options = { heads, mask, dropout: probability, random };
    const mixed =
      this.#config.attention === "textbook" || maskMatrix !== undefined
        ? textbookAttention(query, source, { ...options, mask: maskMatrix ?? mask })
        : attention(query, source.keys, source.values, {
            ...options,
            ...(source.count === undefined ? {} : { keyCount: source.count }),
          });
    return dropout(this.output.forward(mixed), probability, random);
  }
}
