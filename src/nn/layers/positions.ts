/** Where tokens stand in their sequences, which attention alone would not know: three ways to tell. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ShapeError } from "../../errors.ts";
import { add } from "../../ops/add.ts";
import { embedding } from "../../ops/embedding.ts";
import { slice } from "../../ops/slice.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import type { KVCache } from "../inference/kv-cache.ts";
import { INIT_STD, normalValues } from "../initialize.ts";
import { checkTokens, positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";
import type { NamedTensors } from "../parameters.ts";
import { type Rotation, rotaryAngles } from "./rotary.ts";

/**
 * "learned": each place has an embedding that is added to the token's. "rotary": queries and keys are turned, so that
 * scores know the distance. "none": a causal model can still tell the first position, which sees one token, from the
 * second, which sees two.
 */
export type PositionKind = "learned" | "rotary" | "none";

/**
 * A row's places count from its first own token, those in the cache included, and end at contextLength in every kind.
 * Rotary angles could go on: but no distance beyond the context was ever learned, and scores at such distances are
 * noise. So a full context is a full context, and what happens then is whoever generates to choose.
 */
export class Positions {
  /** (contextLength, C); null unless places are learned. */
  readonly embedding: Tensor | null;
  /** (contextLength, D); null unless places are turned. */
  readonly #angles: Tensor | null;

  constructor(context: Context, config: ModelConfig, random: Random) {
    const { positions, contextLength, dModel, heads } = config;
    this.embedding =
      positions === "learned"
        ? context.parameter([contextLength, dModel], normalValues(contextLength * dModel, random, INIT_STD))
        : null;
    this.#angles = positions === "rotary" ? rotaryAngles(context, contextLength, dModel / heads) : null;
  }

  /** Adds the embeddings of the places, where there are such, to those of the tokens: (B, T, C) → (B, T, C). */
  addTo(embedded: Tensor, tokens: TokenBatch, cache: KVCache | null): Tensor {
    if (this.embedding === null) return embedded;
    const { batchSize, padding } = tokens;
    const positions = positionsOf(tokens);
    const before = cache?.lengths ?? [];
    if (padding === undefined && before.every((length) => length === before[0])) {
      // The same places in every row.
      const start = before[0] ?? 0;
      const whole = positions === this.embedding.shape[0];
      return add(embedded, whole ? this.embedding : slice(this.embedding, 0, start, start + positions));
    }
    return add(embedded, embedding(this.embedding, placesOf(tokens, cache), [batchSize, positions]));
  }

  /** How queries and keys are turned; undefined where they are not. */
  rotation(tokens: TokenBatch, cache: KVCache | null): Rotation | undefined {
    if (this.#angles === null) return undefined;
    return { angles: this.#angles, places: cache?.openStep?.places ?? placesOf(tokens, cache) };
  }

  parameters(): NamedTensors {
    return this.embedding === null ? {} : { positionEmbedding: this.embedding };
  }
}

/** The place of each position, row by row. */
function placesOf(tokens: TokenBatch, cache: KVCache | null): Int32Array {
  const positions = positionsOf(tokens);
  const { starts, ends } = rowsOf(tokens);
  return Int32Array.from({ length: tokens.ids.length }, (_, i) => {
    const [b, t] = [Math.floor(i / positions), i % positions];
    // Padding has no place; it gets the first one, and nobody sees it there.
    return t < starts[b] || t >= ends[b] ? 0 : (cache?.lengths[b] ?? 0) + t - starts[b];
  });
}

/** @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows */
export function checkPlaces(
  model: string,
  tokens: TokenBatch,
  cache: KVCache | null,
  contextLength: number,
): void {
  const { ids, batchSize } = tokens;
  const { starts, ends } = rowsOf(tokens);
  const longest = ends.reduce(
    (most, end, b) => Math.max(most, (cache?.lengths[b] ?? 0) + end - starts[b]),
    0,
  );
  if (!Number.isInteger(positionsOf(tokens)) || longest > contextLength) {
    throw new ShapeError(
      `${model}: sequences may be ${contextLength} tokens long: got ${ids.length} ids in ${batchSize} rows after ${cache?.length ?? 0} cached`,
    );
  }
  checkTokens(tokens);
}
