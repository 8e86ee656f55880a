import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { add } from "../../ops/add.ts";
import { embedding } from "../../ops/embedding.ts";
import { addRepeated } from "../../ops/fused/add-repeated.ts";
import { slice } from "../../ops/slice.ts";
import type { Random } from "../../random.ts";
import { headSizeOf, type ModelConfig } from "../config.ts";
import { INIT_STD, normal } from "../initialize.ts";
import { positionsIn, positionsOf, type TokenBatch } from "../inputs/token-batch.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { rotaryAngles } from "./rotary-angles.ts";

/**
 * Position information; see `PositionKind`. Positions count from the first token of a sequence, cached tokens included,
 * and are less than contextLength. Rotary angles could be extended further, but no model has been trained on longer
 * distances, so the limit is the same for all kinds.
 */
export class Positions {
  /** (contextLength, C); null unless positions are learned. */
  readonly embedding: Tensor | null;
  /** (contextLength, D); null unless positions are rotary. See rotary-angles.ts. */
  readonly angles: Tensor | null;

  constructor(context: Context, config: ModelConfig, random: Random) {
    const { positions, contextLength, dModel, ropeBase } = config;
    const shape = [contextLength, dModel];
    this.embedding = positions === "learned" ? context.parameter(shape, normal(random, INIT_STD)) : null;
    this.angles =
      positions === "rotary" ? rotaryAngles(context, contextLength, headSizeOf(config), ropeBase) : null;
  }

  /**
   * Adds the position embeddings, if the model has them: (B, T, C) → (B, T, C).
   *
   * @param before the number of tokens that each sequence already has; empty for none
   */
  addTo(x: Tensor, tokens: TokenBatch, before: readonly number[]): Tensor {
    if (this.embedding === null) return x;
    const { batchSize, padding } = tokens;
    const width = positionsOf(tokens);
    if (padding === undefined && before.length === 0) {
      // Each row has the positions 0 … T−1.
      const whole = width === this.embedding.shape[0];
      return addRepeated(x, whole ? this.embedding : slice(this.embedding, 0, 0, width));
    }
    return add(x, embedding(this.embedding, positionsIn(tokens, before), [batchSize, width]));
  }

  parameters(): NamedTensors {
    return parametersOf({ positionEmbedding: this.embedding });
  }
}
