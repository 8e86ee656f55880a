import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GPTConfig } from "../../src/nn/config.ts";
import { countParameters } from "../../src/nn/count-parameters.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { countNumbers } from "../../src/nn/parameters.ts";
import { Random } from "../../src/random.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomChoices, TINY } from "../support/models.ts";

describe("countParameters", () => {
  it("matches the parameters of a model of that configuration", () => {
    const small = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(
        fc.record({ layers: small, heads: small, width: small, vocabSize: small, contextLength: small }),
        fc.nat().map((seed) => randomChoices(Random.of(seed))),
        fc.constantFrom("gpt" as const, "encoder" as const, "seq2seq" as const),
        ({ heads, width, ...sizes }, choices, kind) => {
          const dModel = 2 * heads * width;
          const config: GPTConfig = { ...TINY, ...sizes, ...choices, heads, dModel };
          const Model = { gpt: GPT, encoder: Encoder, seq2seq: EncoderDecoder }[kind];
          const model = new Model(doubleContext(), config, Random.of(1));
          expect(countParameters(config, kind)).toBe(countNumbers(model.parameters()));
        },
      ),
      { numRuns: 90 },
    );
  });
});
