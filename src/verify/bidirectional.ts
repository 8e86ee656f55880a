/**
 * An encoder sees both ways: the logits at every position, differentiated by the input at every other, earlier or
 * later, have a gradient in one of the texts at least. A mask that it should not have would make it 0.
 */
import { formatCount } from "../util/format.ts";
import { type CheckOptions, type CheckResult, Comparisons, type Subject } from "./check.ts";
import { inputGradients } from "./gradient-flow.ts";

const NAME = "every position, both ways";

export async function checkBothSides(model: Subject, options: CheckOptions): Promise<CheckResult> {
  const { texts, seed } = options;
  const positions = texts[0].length;
  const comparisons = new Comparisons(options);
  for (let t = 0; t < positions; t++) {
    const reached = new Set<number>();
    for (const text of texts) {
      const greatest = await inputGradients(model, text, t, seed);
      greatest.forEach((gradient, s) => {
        if (gradient !== 0) reached.add(s);
      });
    }
    for (let s = 0; s < positions; s++) {
      comparisons.expect(
        reached.has(s),
        () =>
          `the logits at position ${t} do not depend on the input at position ${s}, in any of the texts: a gradient of 0 where there must be one`,
      );
    }
    options.onProgress?.((t + 1) / positions);
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} pairs of positions, none 0`);
}
