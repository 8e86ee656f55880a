/**
 * Cross-attention reads the whole source and no padding. In a batch with longer sources, padded on the left or on the
 * right, a source yields the same logits as alone, bit for bit; and changing any token of a source changes some logit.
 */
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { type PaddingSide, padTokens } from "../nn/inputs/token-batch.ts";
import { Random } from "../random.ts";
import { formatCount } from "../util/format.ts";
import { adaptDecoderWithSources } from "./adapters.ts";
import { type CheckOptions, type CheckResult, Comparisons } from "./check.ts";
import { describeDifference, firstDifference, type Logits, tokensOf, wholeLogits } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "padded and changed sources";
const SIDES: readonly PaddingSide[] = ["left", "right"];

export async function checkCrossAttention(
  model: EncoderDecoder,
  options: CheckOptions,
): Promise<CheckResult> {
  const { texts, show } = options;
  // One answer appears with two sources, so that there is padding even for a single text.
  const answers = [...texts, texts[0]];
  const sources = unequalSources(model, answers.length, options.seed);
  const comparisons = new Comparisons(options);
  const alone = (source: readonly number[], row: number) =>
    wholeLogits(
      adaptDecoderWithSources(model, () => tokensOf([source])),
      tokensOf([answers[row]]),
    );
  const own: Logits[] = [];
  for (const [row, source] of sources.entries()) own.push(await alone(source, row));

  for (const side of SIDES) {
    const decoder = adaptDecoderWithSources(model, () => padTokens(sources, side));
    const padded = await wholeLogits(decoder, tokensOf(answers));
    for (const [row, source] of sources.entries()) {
      for (let t = 0; t < padded.positions; t++) {
        const [here, there] = [
          { row: 0, t },
          { row, t },
        ];
        comparisons.expect(firstDifference(own[row], here, padded, there) < 0, () => {
          const { logit, from, to } = describeDifference(own[row], here, padded, there, options);
          return `for the source ${JSON.stringify(show(source))}, in a batch padded on the ${side}: ${logit} after ${excerpt(answers[row], t + 1, show)} changed from ${from} to ${to}`;
        });
      }
    }
    options.onProgress?.((SIDES.indexOf(side) + 1) / (SIDES.length + 1));
  }

  for (const [row, source] of sources.entries()) {
    for (const [s, id] of source.entries()) {
      const changed = source.with(s, anotherId(id, s, model.config.vocabSize));
      const after = await alone(changed, row);
      const noticed = answers[row].some((_, t) => firstDifference(own[row], { row: 0, t }, after) >= 0);
      comparisons.expect(
        noticed,
        () => `changing token ${s} of the source ${JSON.stringify(show(source))} changed no logit`,
      );
    }
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} positions and source tokens`);
}

/** Returns random sources: the first as long as possible, the last with one token, the others of random lengths. */
function unequalSources({ config }: EncoderDecoder, count: number, seed: number): readonly number[][] {
  const random = Random.of(seed, "sources");
  const { contextLength, vocabSize } = config;
  return Array.from({ length: count }, (_, row) => {
    const between = row === 0 ? contextLength : 1 + random.below(contextLength);
    const length = row === count - 1 ? 1 : between;
    return Array.from({ length }, () => random.below(vocabSize));
  });
}
