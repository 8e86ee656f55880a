/**
 * The encoder's objective (BERT): some tokens of a text are masked, and the model predicts them from the tokens before
 * and after.
 *
 * In each window, 15% of the positions are chosen, at least one. Only these have a target. At each of them the model
 * sees:
 *
 *   80%  [MASK]
 *   10%  a random token, so that the model cannot trust its input
 *   10%  the true token, so that the model also learns to predict visible tokens
 *
 * Source: Devlin et al. 2019, §3.1.
 */

import type { Tensor } from "../../autograd/tensor.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { TextLoader, type WindowConfig } from "../../data/window-loader.ts";
import type { Encoder } from "../../nn/encoder.ts";
import { IGNORED } from "../../ops/cross-entropy.ts";
import { Random } from "../../random.ts";
import { checkTypes } from "../../util/check-types.ts";
import type { Objective } from "./objective.ts";

/** The fraction of positions with a target. */
const CHOSEN_SHARE = 0.15;
/** The fractions of chosen positions that show [MASK] and a random token. */
const [MASK_SHARE, RANDOM_SHARE] = [0.8, 0.1];

/** Windows with masked tokens, row by row, and the true tokens. */
export interface MaskedBatch {
  /** Ids in 0 … V, where V is [MASK]. */
  readonly inputs: Int32Array;
  /** The true id at chosen positions, IGNORED elsewhere. */
  readonly targets: Int32Array;
  /** The number of chosen positions. */
  readonly chosen: number;
}

/**
 * Masks tokens in windows.
 *
 * @param windows   `batchSize` windows of equal length, row by row
 * @param vocabSize the number of ids (V); [MASK] is id V
 */
export function maskTokens(
  windows: ArrayLike<number>,
  size: { readonly batchSize: number; readonly vocabSize: number },
  random: Random,
): MaskedBatch {
  const { batchSize, vocabSize } = size;
  const positions = windows.length / batchSize;
  const inputs = Int32Array.from(windows);
  const targets = new Int32Array(windows.length).fill(IGNORED);
  const each = Math.max(1, Math.round(CHOSEN_SHARE * positions));
  for (let row = 0; row < batchSize; row++) {
    for (const t of choose(each, positions, random)) {
      const at = row * positions + t;
      targets[at] = windows[at];
      inputs[at] = visibleId(windows[at], vocabSize, random);
    }
  }
  return { inputs, targets, chosen: batchSize * each };
}

function visibleId(id: number, vocabSize: number, random: Random): number {
  const draw = random.uniform();
  if (draw < MASK_SHARE) return vocabSize;
  return draw < MASK_SHARE + RANDOM_SHARE ? random.below(vocabSize) : id;
}

/** `count` different numbers of 0 … among−1, uniform over all subsets: a partial Fisher–Yates shuffle. */
function choose(count: number, among: number, random: Random): number[] {
  const deck = Array.from({ length: among }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + random.below(among - i);
    [deck[i], deck[j]] = [deck[j], deck[i]];
  }
  return deck.slice(0, count);
}

/**
 * Masked-token prediction for an encoder.
 *
 * @example
 * const objective = new MaskedToken(model, train, { contextLength: 64, batchSize: 16, seed: 1337 });
 */
export class MaskedToken implements Objective {
  readonly tokensPerBatch: number;
  readonly #model: Encoder;
  readonly #loader: TextLoader;
  readonly #seed: number;
  readonly #batchSize: number;

  /**
   * @param ids the training split
   * @throws DataError if the split is shorter than a window
   */
  constructor(model: Encoder, ids: TokenIds, size: WindowConfig) {
    checkTypes("MaskedToken", { model, ids, size }, { model: ["loss"], ids: ["length"], size: "object" });
    this.tokensPerBatch = size.batchSize * size.contextLength;
    this.#model = model;
    this.#loader = new TextLoader(ids, size);
    this.#seed = size.seed;
    this.#batchSize = size.batchSize;
  }

  /** The batch of a step. The mask is a function of seed, step and part; see `Objective`. */
  batch(step: number, part: number): MaskedBatch {
    const random = Random.of(this.#seed, "masks", step, part);
    const { vocabSize } = this.#model.config;
    return maskTokens(this.#loader.windows(step, part), { batchSize: this.#batchSize, vocabSize }, random);
  }

  targetCount(step: number, part: number): number {
    return this.batch(step, part).chosen;
  }

  loss(step: number, part: number, random: Random | null): Tensor {
    const { inputs, targets } = this.batch(step, part);
    return this.#model.loss({ ids: inputs, batchSize: this.#batchSize }, targets, { random });
  }

  describeBatch(step: number, part: number): string {
    return this.#loader.describeBatch(step, part);
  }
}
