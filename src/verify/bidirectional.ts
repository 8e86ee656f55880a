/**
 * An encoder attends in both directions: the logits at each position have a nonzero gradient with respect to the input
 * at every position, earlier or later, in at least one of the texts. A causal mask would make some of these 0.
 */
import { formatCount } from "../util/format.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons } from "./check.ts";
import { inputGradients } from "./gradient-flow.ts";

const NAME = "attends in both directions";

export async function checkBidirectional(model: CheckedModel, options: CheckOptions): Promise<CheckResult> {
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
          `the logits at position ${t} do not depend on the input at position ${s} in any of the texts: the gradient is 0 but must not be`,
      );
    }
    options.onProgress?.((t + 1) / positions);
  }
  return comparisons.result(NAME, `${formatCount(comparisons.count)} pairs of positions, none 0`);
}
