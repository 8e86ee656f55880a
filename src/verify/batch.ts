/** Rows of a batch never touch each other: a text has the same logits alone, and beside any others. */
import { formatCount } from "../util/format.ts";
import { type CheckOptions, type CheckResult, Comparisons, type Subject, skipped } from "./check.ts";
import { describeDifference, firstDifference, type Logits, logitsOf, type Place } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "batched and alone";

/** @param chunks the positions in parts, as they go through a cache; null: all in one pass */
export async function checkBatch(
  model: Subject,
  options: CheckOptions,
  chunks: readonly number[] | null = null,
): Promise<CheckResult> {
  const { texts, show } = options;
  const { vocabSize } = model.config;
  if (texts.length < 2) return skipped(NAME, "one text alone makes no batch");
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
          return `${excerpt(text, t + 1, show)}, row ${row} of a batch, ${how}: ${logit} at position ${t} went from ${from} to ${to}`;
        });
      });
    };
    compare(await logitsOf(model, [text], chunks), 0, "was read alone");
    if (vocabSize > 1) {
      const change = (other: readonly number[]) => other.map((id, t) => anotherId(id, t, vocabSize));
      const beside = texts.map((other, i) => (i === row ? other : change(other)));
      compare(await logitsOf(model, beside, chunks), row, "had the other rows changed");
    }
    options.onProgress?.((row + 1) / texts.length);
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} positions, to the bit`);
}
