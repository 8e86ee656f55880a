/** What an answer takes from its source: all of it, and nothing of the padding beside it. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "../../src/nn/inputs/forward-options.ts";
import type { TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import { scale } from "../../src/ops/scale.ts";
import { Random } from "../../src/random.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { checkSources } from "../../src/verify/cross-attention.ts";
import { backends } from "../support/backends.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, tinySeq2Seq } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";

const START = 12;
const texts = [0, 1].map((row) => [START, ...randomIds(4, 11, "answers", row)]);
const options = optionsFor(texts);

describe.each(backends)("on %s", (_, open) => {
  test.each(["textbook", "fused"] as const)("a whole model passes, with %s attention", async (attention) => {
    for (const seed of [1, 2, 3]) {
      const check = await checkSources(tinySeq2Seq(new Context(await open()), { attention }, seed), {
        ...options,
        seed,
      });
      expect(complaints(check)).toBe("");
      // Three rows of five positions, padded on either side; one source of seven tokens, one of one.
      expect(check.comparisons).toBeGreaterThanOrEqual(2 * 3 * 5 + 7 + 1 + 1);
    }
  });
});

/** Reads a source with its padding, as if that were text. */
class PaddingReader extends EncoderDecoder {
  override encode(source: TokenBatch, pass: Pick<ForwardOptions, "random"> = INFERENCE): EncoderOutput {
    return super.encode({ ids: source.ids, batchSize: source.batchSize }, pass);
  }
}

/** Reads its source, and forgets it. */
class Absent extends EncoderDecoder {
  override decode(
    tokens: TokenBatch,
    { states, padding }: EncoderOutput,
    options: ForwardOptions = INFERENCE,
  ): Tensor {
    return super.decode(tokens, { states: scale(states, 0), padding }, options);
  }
}

test.each([
  [
    "padding that is read",
    PaddingReader,
    /^after the source ".*", in a batch padded on the left: the logit of/m,
  ],
  ["a source that is not", Absent, /^changing token 6 of the source ".*" changed no logit at all$/m],
])("%s is noticed", async (_, Broken, said) => {
  const honest = tinySeq2Seq(doubleContext());
  const broken = new Broken(doubleContext(), honest.config, Random.of(0));
  await copyWeights(honest.parameters(), broken.parameters());
  expect(complaints(await checkSources(broken, options))).toMatch(said);
});
