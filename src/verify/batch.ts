/** Rows of a batch are independent: a text has the same logits alone and next to any other texts. */
import { formatCount } from "../util/format.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons, skipped } from "./check.ts";
import { describeDifference, firstDifference, type Logits, logitsOf, type Place } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "batched vs. alone";

/**
 * Checks that rows of a batch do not affect each other.
 *
 * @param chunks sizes of the parts fed through a KV cache, or null for one pass without a cache
 */
export async function checkBatch(
  model: CheckedModel,
  options: CheckOptions,
  chunks: readonly number[] | null = null,
): Promise<CheckResult> {
  const { texts, show } = options;
  const { vocabSize } = model.config;
  if (texts.length < 2) return skipped(NAME, "needs at least two texts");
  const together = await logitsOf(model, texts, chunks);
  const comparisons = new Comparisons(options);
  for (const [row, text] of texts.entries()) {
    const compare = (other: Logits, rowThere: number, how: string) => {
      text.forEach((_, t) => {
        const [place, there]: Place[] = [
          { row, t },
          { row: rowThere, t },
        ];
        comparisons.expect(firstDifference(together, place, other, there) < 0, () => {
          const { logit, from, to } = describeDifference(together, place, other, there, options);
          return `${excerpt(text, t + 1, show)}, row ${row} of a batch, ${how}: ${logit} at position ${t} changed from ${from} to ${to}`;
        });
      });
    };
    compare(await logitsOf(model, [text], chunks), 0, "read alone");
    if (vocabSize > 1) {
      const change = (other: readonly number[]) => other.map((id, t) => anotherId(id, t, vocabSize));
      const beside = texts.map((other, i) => (i === row ? other : change(other)));
      compare(await logitsOf(model, beside, chunks), row, "with the other rows changed");
    }
    options.onProgress?.((row + 1) / texts.length);
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} positions, bit for bit`);
}
