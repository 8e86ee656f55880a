/** The check that an answer depends on its whole source and not on padding. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "../../src/nn/inputs/forward-options.ts";
import type { TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import { scale } from "../../src/ops/scale.ts";
import { Random } from "../../src/random.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { checkCrossAttention } from "../../src/verify/cross-attention.ts";
import { backends } from "../support/backends.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, tinySeq2Seq } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";

const START = 12;
const texts = [0, 1].map((row) => [START, ...randomIds(4, 11, "answers", row)]);
const options = optionsFor(texts);

describe.each(backends)("on %s", (_, open) => {
  test.each(["textbook", "fused"] as const)("an intact model passes with %s attention", async (attention) => {
    for (const seed of [1, 2, 3]) {
      const check = await checkCrossAttention(tinySeq2Seq(new Context(await open()), { attention }, seed), {
        ...options,
        seed,
      });
      expect(complaints(check)).toBe("");
      // Three rows of five positions, padded on both sides; sources of seven, one and at least one token.
      expect(check.comparisons).toBeGreaterThanOrEqual(2 * 3 * 5 + 7 + 1 + 1);
    }
  });
});

/** Encodes the padding of a source as if it were text. */
class PaddingReader extends EncoderDecoder {
  override encode(source: TokenBatch, pass: Pick<ForwardOptions, "random"> = INFERENCE): EncoderOutput {
    return super.encode({ ids: source.ids, batchSize: source.batchSize }, pass);
  }
}

/** Encodes its source and then ignores it. */
class SourceIgnorer extends EncoderDecoder {
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
    "a model that reads padding",
    PaddingReader,
    /^for the source ".*", in a batch padded on the left: the logit of/m,
  ],
  [
    "a model that ignores its source",
    SourceIgnorer,
    /^changing token 6 of the source ".*" changed no logit$/m,
  ],
])("%s is caught", async (_, Broken, message) => {
  const original = tinySeq2Seq(doubleContext());
  const broken = new Broken(doubleContext(), original.config, Random.of(0));
  await copyWeights(original.parameters(), broken.parameters());
  expect(complaints(await checkCrossAttention(broken, options))).toMatch(message);
});
