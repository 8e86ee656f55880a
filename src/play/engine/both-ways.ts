/** The same text twice: in one parallel pass, as in training, and one token at a time, as in inference. */
import type { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import { cachedLogits, fullLogits } from "../../sample/logits.ts";
import { countScores } from "./scores.ts";

export interface BothWays {
  readonly parallel: Way;
  readonly stepwise: Way;
  /** For each position, the largest difference of a logit. */
  readonly differences: readonly number[];
  /** The number of logits whose bits differ, of `logits`. */
  readonly unequal: number;
  readonly logits: number;
}

export interface Way {
  readonly passes: number;
  /** For each head. */
  readonly scores: number;
  readonly elapsedMs: number;
}

/** @param now the time in milliseconds */
export async function compareBothWays(
  model: MaskSwitchGPT,
  ids: readonly number[],
  now: () => number,
): Promise<BothWays> {
  const [startMs, parallel] = [now(), await fullLogits(model, ids)];
  const [middleMs, stepwise] = [now(), await cachedLogits(model, ids)];
  const endMs = now();
  const differences = ids.map(() => 0);
  let unequal = 0;
  for (const [i, logit] of parallel.entries()) {
    if (Object.is(logit, stepwise[i])) continue;
    unequal += 1;
    const position = Math.floor(i / model.config.vocabSize);
    differences[position] = Math.max(differences[position], Math.abs(logit - stepwise[i]));
  }
  const steps = ids.map((_, position) => countScores(model, 1, position + 1));
  return {
    parallel: {
      passes: 1,
      scores: countScores(model, ids.length, ids.length),
      elapsedMs: middleMs - startMs,
    },
    stepwise: {
      passes: ids.length,
      scores: steps.reduce((sum, count) => sum + count, 0),
      elapsedMs: endMs - middleMs,
    },
    differences,
    unequal,
    logits: parallel.length,
  };
}
