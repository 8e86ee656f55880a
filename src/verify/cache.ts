/** The KV cache is exact: the logits of a text are bit-identical in one pass and in chunks through a cache. */

import { Random } from "../random.ts";
import { formatCount } from "../util/format.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons } from "./check.ts";
import { describeDifference, firstDifference, logitsOf } from "./logits.ts";
import { excerpt, randomChunks } from "./texts.ts";

const NAME = "cached vs. uncached";
/** Number of random ways to split the texts into chunks. One more way feeds single tokens. */
const RANDOM_CUTS = 3;

export async function checkCache(model: CheckedModel, options: CheckOptions): Promise<CheckResult> {
  const { texts, show } = options;
  const positions = texts[0].length;
  const random = Random.of(options.seed, "chunks");
  const ways = Array.from({ length: RANDOM_CUTS }, () => randomChunks(positions, random));
  ways.push(new Array<number>(positions).fill(1));
  const whole = await logitsOf(model, texts);
  const comparisons = new Comparisons(options);
  for (const [done, chunks] of ways.entries()) {
    const cached = await logitsOf(model, texts, chunks);
    for (const [row, text] of texts.entries()) {
      for (let t = 0; t < positions; t++) {
        const place = { row, t };
        comparisons.expect(firstDifference(whole, place, cached) < 0, () => {
          const { logit, from, to } = describeDifference(whole, place, cached, place, options);
          return `reading ${excerpt(text, t + 1, show)} through a cache, ${describeChunks(chunks)} tokens at a time, changed ${logit} at position ${t} from ${from} to ${to}`;
        });
      }
    }
    options.onProgress?.((done + 1) / ways.length);
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} positions, bit for bit`);
}

function describeChunks(chunks: readonly number[]): string {
  if (chunks.every((chunk) => chunk === 1)) return "1";
  return chunks.length <= 6 ? chunks.join(", ") : `${chunks.slice(0, 6).join(", ")}, …`;
}
