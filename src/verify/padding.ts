/**
 * Padding never changes a number: in a batch with longer texts, padded on the left or on the right, a text has the same
 * logits, loss and gradients as alone, bit for bit.
 */

import { type PaddingSide, padLike, padTokens, rowsOf, type TokenBatch } from "../nn/inputs/token-batch.ts";
import { crossEntropy, IGNORED } from "../ops/cross-entropy.ts";
import { Random } from "../random.ts";
import { formatCount } from "../util/format.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons, skipped } from "./check.ts";
import { describeDifference, firstDifference, tokensOf, wholeLogits } from "./logits.ts";
import { excerpt } from "./texts.ts";

const NAME = "padded vs. unpadded";
const SIDES: readonly PaddingSide[] = ["left", "right"];

export async function checkPadding(model: CheckedModel, options: CheckOptions): Promise<CheckResult> {
  const { show } = options;
  const rows = unequalRows(options);
  const comparisons = new Comparisons(options);
  if (rows.length < 3) return skipped(NAME, "needs texts of at least two tokens");
  for (const side of SIDES) {
    const tokens = padTokens(rows, side);
    const padded = await wholeLogits(model, tokens);
    const { starts } = rowsOf(tokens);
    for (const [row, text] of rows.entries()) {
      if (text.length === 0) continue;
      const alone = await wholeLogits(model, tokensOf([text]));
      const where = `${text.length} tokens in a batch of ${padded.positions}, padded on the ${side}`;
      for (let t = 0; t < text.length; t++) {
        const [here, there] = [
          { row: 0, t },
          { row, t: starts[row] + t },
        ];
        comparisons.expect(firstDifference(alone, here, padded, there) < 0, () => {
          const { logit, from, to } = describeDifference(alone, here, padded, there, options);
          return `${excerpt(text, t + 1, show)}, ${where}: ${logit} at position ${t} changed from ${from} to ${to}`;
        });
      }
      const among = (what: string) => `${excerpt(text, text.length, show)}, ${where}: ${what}`;
      const own = await lossAndGradients(model, options, tokensOf([text]), [text], 0);
      const beside = await lossAndGradients(model, options, tokens, rows, row);
      comparisons.expect(Object.is(own.loss, beside.loss), () =>
        among(`the loss changed from ${own.loss} to ${beside.loss}`),
      );
      for (const [name, gradient] of own.gradients) {
        const other = beside.gradients.get(name) ?? [];
        // −0 equals 0 here, because padding adds zeros to sums.
        const at = gradient.findIndex((value, i) => value !== other[i]);
        comparisons.expect(at < 0, () =>
          among(`the gradient of ${name}[${at}] changed from ${gradient[at]} to ${other[at]}`),
        );
      }
      options.onProgress?.((SIDES.indexOf(side) + (row + 1) / rows.length) / SIDES.length);
    }
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} logits, losses, gradients`);
}

/** Truncates the texts to random lengths. The first one stays whole, and an empty one is added at the end. */
function unequalRows({ texts, seed }: CheckOptions): readonly (readonly number[])[] {
  const random = Random.of(seed, "lengths");
  const [whole, ...others] = texts;
  const shorter = (others.length > 0 ? others : [whole]).filter((text) => text.length > 1);
  const cut = shorter.map((text) => text.slice(0, 1 + random.below(text.length - 1)));
  return [whole, ...cut, []];
}

/** Computes the loss and gradients of one row of a batch. */
async function lossAndGradients(
  model: CheckedModel,
  { targetsOf = nextOf }: CheckOptions,
  tokens: TokenBatch,
  rows: readonly (readonly number[])[],
  counted: number,
): Promise<{ loss: number; gradients: Map<string, Float32Array | Float64Array> }> {
  const { context } = model;
  const parameters = Object.entries(model.parameters());
  const targets = rows.map((row, b) => (b === counted ? targetsOf(row) : row.map(() => IGNORED)));
  for (const [, tensor] of parameters) tensor.storage.clearGradient();
  const loss = await context.scope("grad", () => {
    const root = crossEntropy(model.forward(tokens), padLike(tokens, targets, IGNORED));
    context.backward(root);
    return root.item();
  });
  const gradients = new Map<string, Float32Array | Float64Array>();
  for (const [name, tensor] of parameters) gradients.set(name, await tensor.grad());
  return { loss, gradients };
}

/** Targets for predicting the next token. The last position has none. */
function nextOf(row: readonly number[]): number[] {
  return row.map((_, t) => row[t + 1] ?? IGNORED);
}
