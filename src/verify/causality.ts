/**
 * Later tokens never change earlier logits. For a cut at each position, all tokens after the cut are replaced by
 * others; every logit before the cut must stay bit-identical.
 */
import { formatCount } from "../util/format.ts";
import {
  type CheckedModel,
  type CheckOptions,
  type CheckResult,
  Comparisons,
  type Rows,
  skipped,
} from "./check.ts";
import { describeDifference, firstDifference, type Logits, logitsOf, type Place } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "later tokens, earlier logits";

/**
 * Checks that no logit depends on a later token.
 *
 * @param chunks sizes of the parts fed through a KV cache, or null for one pass without a cache
 */
export async function checkCausality(
  model: CheckedModel,
  options: CheckOptions,
  chunks: readonly number[] | null = null,
): Promise<CheckResult> {
  const { texts } = options;
  const { vocabSize } = model.config;
  const cuts = texts[0].length - 1;
  if (vocabSize < 2) return skipped(NAME, "needs a vocabulary of at least two tokens");
  if (cuts < 1) return skipped(NAME, "needs texts of at least two tokens");
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
      // The change must have an effect where it may, or the comparison would prove nothing.
      const noticed = firstDifference(before, { row, t: last + 1 }, after) >= 0;
      comparisons.expect(noticed, () => {
        const text = excerpt(texts[row], last + 1, options.show);
        return `changing every token after the bar in ${text} changed no logit at position ${last + 1}, which reads the first of them`;
      });
    }
    options.onProgress?.((last + 1) / cuts);
  }
  return comparisons.result(NAME, `${formatCount(compared)} positions, bit for bit`);
}

/** Returns the rows with all tokens after position `last` replaced by others. */
function changeAfter(texts: Rows, last: number, vocabSize: number): Rows {
  return texts.map((text) => text.map((id, t) => (t <= last ? id : anotherId(id, t, vocabSize))));
}

/** Describes a leak by a single changed token if one is enough to cause it, otherwise by all of them. */
async function describeLeak(
  model: CheckedModel,
  options: CheckOptions,
  chunks: readonly number[] | null,
  before: Logits,
  place: Place,
  last: number,
): Promise<string> {
  const { show } = options;
  const { vocabSize } = model.config;
  const text = options.texts[place.row];
  const describe = (bar: number, what: string, after: Logits, row: number) => {
    const { logit, from, to } = describeDifference(before, place, after, { row, t: place.t }, options);
    return `changing ${what} in ${excerpt(text, bar, show)} changed ${logit} at position ${place.t} from ${from} to ${to}`;
  };
  for (let j = last + 1; j < text.length; j++) {
    const id = anotherId(text[j], j, vocabSize);
    const rows = options.texts.map((other, row) => (row === place.row ? other.with(j, id) : other));
    const after = await logitsOf(model, rows, chunks);
    if (firstDifference(before, place, after) < 0) continue;
    return describe(j, `token ${j} to ${JSON.stringify(show([id]))}`, after, place.row);
  }
  const after = await logitsOf(model, changeAfter(options.texts, last, vocabSize), chunks);
  return describe(last + 1, "all tokens after the bar", after, place.row);
}
