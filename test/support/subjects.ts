/** The family as the checks ask for a model: token rows in, logits out. */
import type { Encoder } from "../../src/nn/encoder.ts";
import { PLAIN_PASS } from "../../src/nn/pass.ts";
import type { EncoderDecoder } from "../../src/nn/seq2seq.ts";
import type { Tokens } from "../../src/nn/tokens.ts";
import type { Subject } from "../../src/verify/check.ts";

/** The decoder of an encoder–decoder that answers one source, the same in every row. */
export function decoderAfter(model: EncoderDecoder, source: readonly number[]): Subject {
  const { context, config } = model;
  const sources = (batchSize: number): Tokens => ({
    ids: Array.from({ length: batchSize }, () => source).flat(),
    batchSize,
  });
  return {
    context,
    // [end] is a token like any other here.
    config: { ...config, vocabSize: model.endId + 1, bigram: false, logitCap: 0 },
    parameters: () => model.parameters(),
    forward: (tokens, pass = PLAIN_PASS) => model.forward(sources(tokens.batchSize), tokens, pass),
    makeCache: (batchSize) => model.makeCache(batchSize),
  };
}

/** An encoder, asked what it must never be asked. */
export function asSubject(model: Encoder): Subject {
  const { context, config } = model;
  return {
    context,
    config: { ...config, bigram: false, logitCap: 0 },
    parameters: () => model.parameters(),
    forward: (tokens, pass) => model.forward(tokens, pass),
    makeCache: () => {
      throw new Error("an encoder has no cache");
    },
  };
}
