/**
 * The loss is not below what is possible. Of a text that was drawn from a known source, the entropy is known; a
 * model that predicts each token from those before it cannot go below. One that does has seen what it predicts.
 */

import type { TokenIds } from "../data/token-source.ts";
import { evaluateSplit } from "../evaluate/loss.ts";
import type { GPT } from "../nn/gpt.ts";
import { formatCount } from "../util/format.ts";
import { type CheckResult, Comparisons, skipped } from "./check.ts";

const NAME = "loss and the entropy floor";

/** A text whose source is known. */
export interface KnownText {
  readonly ids: TokenIds;
  /** The part that was held out. */
  readonly range: { readonly start: number; readonly end: number };
  /** The entropy of that part. */
  readonly floorNats: number;
}

/** @param known null when nobody knows the entropy of what the model learned from */
export async function checkFloor(model: GPT, known: KnownText | null): Promise<CheckResult> {
  if (known === null) return skipped(NAME, "nobody knows the entropy of this model's text");
  const { ids, range, floorNats } = known;
  const { lossNats, tokens } = await evaluateSplit(model, ids, range);
  const comparisons = new Comparisons();
  comparisons.expect(
    lossNats >= floorNats,
    () =>
      `the loss over ${formatCount(tokens)} tokens that were held out is ${lossNats.toFixed(4)} nats; their source leaves ${floorNats.toFixed(4)} open, so what they are must have been seen`,
  );
  return comparisons.result(NAME, `${lossNats.toFixed(4)} nats a token, floor ${floorNats.toFixed(4)}`);
}
