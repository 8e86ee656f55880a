/** Masked multi-head attention: the layer that mixes information across positions. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask } from "../../backend/backend.ts";
import { attention } from "../../ops/attention.ts";
import { dropout } from "../../ops/dropout.ts";
import { rotary } from "../../ops/rotary.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import { INIT_STD, outputStd } from "../initialize.ts";
import type { BlockOptions, EncoderOutput, KeysAndValues } from "../inputs/forward-options.ts";
import { paddingMask } from "../inputs/mask.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Linear } from "./linear.ts";
import { normalizeHeads } from "./qk-norm.ts";
import { textbookAttention } from "./textbook-attention.ts";

export class Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
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
    const sizes = { inputs: config.dModel, outputs: config.dModel, bias: config.bias };
    this.query = new Linear(context, sizes, random, INIT_STD);
    this.key = new Linear(context, sizes, random, INIT_STD);
    this.value = new Linear(context, sizes, random, INIT_STD);
    this.output = new Linear(context, sizes, random, outputStd(config, writes));
    this.#config = config;
    this.#layer = layer;
  }

  /** Self-attention: (B, T, C) → (B, T, C). With a cache, queries also see the cached keys. */
  forward(x: Tensor, options: BlockOptions): Tensor {
    const { query, ...own } = this.project(x, options);
    const { decode } = options;
    const source = decode === null ? own : decode.append(this.#layer, own);
    return this.#attend(query, source, options.mask, options);
  }

  /**
   * Cross-attention: queries from x (B, T, C), keys and values from the encoder output. No rotary positions, because
   * the distance between positions of two different sequences means nothing.
   */
  crossForward(x: Tensor, encoderOutput: EncoderOutput, options: BlockOptions): Tensor {
    const { states, padding, projected } = encoderOutput;
    const query = this.#normalized(this.query.forward(x));
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
    const query = rotated(this.#normalized(this.query.forward(x)));
    const { keys, values } = this.keysAndValues(x);
    // Keys can be rotated before they are cached, because a token's position never changes.
    return { query, keys: rotated(keys), values };
  }

  /** Keys and values of states (B, S, C). */
  keysAndValues(states: Tensor): KeysAndValues {
    return { keys: this.#normalized(this.key.forward(states)), values: this.value.forward(states) };
  }

  parameters(): NamedTensors {
    return parametersOf({ query: this.query, key: this.key, value: this.value, output: this.output });
  }

  #normalized(x: Tensor): Tensor {
    return this.#config.qkNorm ? normalizeHeads(x, this.#config.heads) : x;
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
