/**
 * The encoder's objective (BERT): some tokens of a text are hidden, and the model says what stood there, from what
 * comes before and after.
 *
 * Of each window, 15 % of the positions are chosen, one at least. What the model sees there is, drawn for each:
 *
 *   80 %  [MASK]
 *   10 %  any token, so that the model cannot trust what it sees
 *   10 %  the token itself, so that it must say something of what it sees too
 *
 * and only there does it have a target. Source: Devlin et al. 2019, §3.1.
 */
import type { Tensor } from "../../autograd/tensor.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { type WindowConfig, WindowLoader } from "../../data/window-loader.ts";
import type { Encoder } from "../../nn/encoder.ts";
import { crossEntropy, IGNORED } from "../../ops/cross-entropy.ts";
import { Random } from "../../random.ts";
import type { Objective } from "./objective.ts";

/** The share of positions that have a target. */
const CHOSEN_SHARE = 0.15;
/** Of the chosen positions, the share that shows [MASK], and the share that shows any token. */
const [MASK_SHARE, RANDOM_SHARE] = [0.8, 0.1];

/** Windows with tokens hidden, row by row, and what stood there. */
export interface MaskedBatch {
  /** Ids in 0 … V, where V is [MASK]. */
  readonly inputs: Int32Array;
  /** The true id where a position was chosen, IGNORED elsewhere. */
  readonly targets: Int32Array;
  /** How many positions were chosen. */
  readonly chosen: number;
}

/**
 * Hides tokens of windows.
 *
 * @param windows   `batchSize` windows of one length, row by row
 * @param vocabSize how many ids there are (V); [MASK] is the next one
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
      inputs[at] = whatIsShown(windows[at], vocabSize, random);
    }
  }
  return { inputs, targets, chosen: batchSize * each };
}

function whatIsShown(id: number, vocabSize: number, random: Random): number {
  const draw = random.uniform();
  if (draw < MASK_SHARE) return vocabSize;
  return draw < MASK_SHARE + RANDOM_SHARE ? random.below(vocabSize) : id;
}

/** `count` different ones of 0 … among−1, each set of them equally likely: the first cards of a shuffled deck. */
function choose(count: number, among: number, random: Random): number[] {
  const deck = Array.from({ length: among }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + random.below(among - i);
    [deck[i], deck[j]] = [deck[j], deck[i]];
  }
  return deck.slice(0, count);
}

export class MaskedToken implements Objective {
  readonly tokensPerBatch: number;
  readonly #model: Encoder;
  readonly #loader: WindowLoader;
  readonly #seed: number;

  /**
   * @param ids the training split; its windows are those that GPT would learn from
   * @throws DataError when no window fits
   */
  constructor(model: Encoder, ids: TokenIds, size: WindowConfig) {
    this.tokensPerBatch = size.batchSize * size.contextLength;
    this.#model = model;
    this.#loader = new WindowLoader(ids, size);
    this.#seed = size.seed;
  }

  /** See `Objective`: what a step hides is a function of seed, step and part. */
  batch(step: number, part: number): MaskedBatch & { readonly batchSize: number } {
    const { inputs, batchSize } = this.#loader.batch(step, part);
    const random = Random.of(this.#seed, "masks", step, part);
    const { vocabSize } = this.#model.config;
    return { ...maskTokens(inputs, { batchSize, vocabSize }, random), batchSize };
  }

  loss(step: number, part: number, random: Random | null): Tensor {
    const { inputs, targets, batchSize } = this.batch(step, part);
    const logits = this.#model.forward({ ids: inputs, batchSize }, { random });
    return crossEntropy(logits, targets);
  }

  batchInWords(step: number, part: number): string {
    return this.#loader.batchInWords(step, part);
  }
}
