/**
 * What an answer takes from its source. Beside longer sources, padded on the left or on the right, a source leads to
 * the logits to which it leads alone, to the bit; and there is no token of it that could be another unnoticed.
 */
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { type PaddingSide, padTokens } from "../nn/inputs/token-batch.ts";
import { Random } from "../random.ts";
import { formatCount } from "../util/format.ts";
import { decoderBeside } from "./adapters.ts";
import { type CheckOptions, type CheckResult, Comparisons } from "./check.ts";
import { describeDifference, firstDifference, type Logits, tokensOf, wholeLogits } from "./logits.ts";
import { anotherId, excerpt } from "./texts.ts";

const NAME = "sources, padded and changed";
const SIDES: readonly PaddingSide[] = ["left", "right"];

export async function checkSources(model: EncoderDecoder, options: CheckOptions): Promise<CheckResult> {
  const { texts, show } = options;
  // One answer stands beside two sources, so that there is padding however few texts there are.
  const answers = [...texts, texts[0]];
  const sources = unequalSources(model, answers.length, options.seed);
  const comparisons = new Comparisons(options);
  const alone = (source: readonly number[], row: number) =>
    wholeLogits(
      decoderBeside(model, () => tokensOf([source])),
      tokensOf([answers[row]]),
    );
  const own: Logits[] = [];
  for (const [row, source] of sources.entries()) own.push(await alone(source, row));

  for (const side of SIDES) {
    const subject = decoderBeside(model, () => padTokens(sources, side));
    const padded = await wholeLogits(subject, tokensOf(answers));
    for (const [row, source] of sources.entries()) {
      for (let t = 0; t < padded.positions; t++) {
        const [here, there] = [
          { row: 0, t },
          { row, t },
        ];
        comparisons.expect(firstDifference(own[row], here, padded, there) < 0, () => {
          const { logit, from, to } = describeDifference(own[row], here, padded, there, options);
          return `after the source ${JSON.stringify(show(source))}, in a batch padded on the ${side}: ${logit} behind ${excerpt(answers[row], t + 1, show)} went from ${from} to ${to}`;
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
        () => `changing token ${s} of the source ${JSON.stringify(show(source))} changed no logit at all`,
      );
    }
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} positions and source tokens`);
}

/** The first as long as a source may be, the others of random lengths, the last of one token. */
function unequalSources({ config }: EncoderDecoder, count: number, seed: number): readonly number[][] {
  const random = Random.of(seed, "sources");
  const { contextLength, vocabSize } = config;
  return Array.from({ length: count }, (_, row) => {
    const between = row === 0 ? contextLength : 1 + random.below(contextLength);
    const length = row === count - 1 ? 1 : between;
    return Array.from({ length }, () => random.below(vocabSize));
  });
}
