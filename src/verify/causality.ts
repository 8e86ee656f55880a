/**
 * Later tokens never change earlier logits. A text is cut at every position; all tokens behind the cut become
 * others; every logit in front of it must keep its last bit.
 */
import { formatCount } from "../util/format.ts";
import {
  type CheckOptions,
  type CheckResult,
  Comparisons,
  type Rows,
  type Subject,
  skipped,
} from "./check.ts";
import { describeDifference, firstDifference, type Logits, logitsOf, type Place } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "later tokens, earlier logits";

/** @param chunks the positions in parts, as they go through a cache; null: all in one pass */
export async function checkFuture(
  model: Subject,
  options: CheckOptions,
  chunks: readonly number[] | null = null,
): Promise<CheckResult> {
  const { texts } = options;
  const { vocabSize } = model.config;
  const cuts = texts[0].length - 1;
  if (vocabSize < 2) return skipped(NAME, "a vocabulary of one token has no other to change to");
  if (cuts < 1) return skipped(NAME, "a context of one token has nothing later");
  const before = await logitsOf(model, texts, chunks);
  const comparisons = new Comparisons(options);
  let compared = 0;
  for (let last = 0; last < cuts; last++) {
    const changed = changeAfter(texts, last, vocabSize);
    const after = await logitsOf(model, changed, chunks);
    for (const row of texts.keys()) {
      for (let t = 0; t <= last; t++) {
        compared += 1;
        const place = { row, t };
        const same = firstDifference(before, place, after) < 0;
        const example =
          same || !comparisons.wantsExamples
            ? ""
            : await describeLeak(model, options, chunks, before, place, last);
        comparisons.expect(same, () => example);
      }
      // The change must be one that the model notices where it may.
      const noticed = firstDifference(before, { row, t: last + 1 }, after) >= 0;
      comparisons.expect(noticed, () => {
        const text = excerpt(texts[row], last + 1, options.show);
        return `changing every token behind the bar of ${text} changed nothing at position ${last + 1}, which reads the first of them`;
      });
    }
    options.onProgress?.((last + 1) / cuts);
  }
  return comparisons.result(NAME, `${formatCount(compared)} positions, to the bit`);
}

/** Every row with all tokens behind position `last` replaced by others. */
function changeAfter(texts: Rows, last: number, vocabSize: number): Rows {
  return texts.map((text) => text.map((id, t) => (t <= last ? id : anotherId(id, t, vocabSize))));
}

/** Looks for one token that changes the place all by itself. */
async function describeLeak(
  model: Subject,
  options: CheckOptions,
  chunks: readonly number[] | null,
  before: Logits,
  place: Place,
  last: number,
): Promise<string> {
  const { show } = options;
  const { vocabSize } = model.config;
  const text = options.texts[place.row];
  const tell = (bar: number, what: string, after: Logits, row: number) => {
    const { logit, from, to } = describeDifference(before, place, after, { row, t: place.t }, options);
    return `changing ${what} of ${excerpt(text, bar, show)} changed ${logit} at position ${place.t} from ${from} to ${to}`;
  };
  for (let j = last + 1; j < text.length; j++) {
    const id = anotherId(text[j], j, vocabSize);
    const rows = options.texts.map((other, row) => (row === place.row ? other.with(j, id) : other));
    const after = await logitsOf(model, rows, chunks);
    if (firstDifference(before, place, after) < 0) continue;
    return tell(j, `token ${j} to ${JSON.stringify(show([id]))}`, after, place.row);
  }
  const after = await logitsOf(model, changeAfter(options.texts, last, vocabSize), chunks);
  return tell(last + 1, `all tokens behind the bar`, after, place.row);
}
