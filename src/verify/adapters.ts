/** The family as the checks ask for a model: token rows in, logits out. */
import type { Encoder } from "../nn/encoder.ts";
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { INFERENCE } from "../nn/inputs/forward-options.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import type { Subject } from "./check.ts";

/** The decoder of an encoder–decoder that answers one source, the same in every row. */
export function decoderAfter(model: EncoderDecoder, source: readonly number[]): Subject {
  return decoderBeside(model, (batchSize) => ({
    ids: Array.from({ length: batchSize }, () => source).flat(),
    batchSize,
  }));
}

/** The same, with the sources that a batch of so many rows has. */
export function decoderBeside(model: EncoderDecoder, sourcesOf: (batchSize: number) => TokenBatch): Subject {
  const { context, config } = model;
  return {
    context,
    // [end] is a token like any other here.
    config: { ...config, vocabSize: model.endId + 1, bigram: false, logitCap: 0 },
    parameters: () => model.parameters(),
    forward: (tokens, options = INFERENCE) => model.forward(sourcesOf(tokens.batchSize), tokens, options),
    decode: (tokens, cache) => model.forward(sourcesOf(tokens.batchSize), tokens, { cache, random: null }),
    makeCache: (batchSize) => model.makeCache(batchSize),
  };
}

/** An encoder, which may be asked what it must never be asked. */
export function encoderSubject(model: Encoder): Subject {
  const { context, config } = model;
  return {
    context,
    config: { ...config, bigram: false, logitCap: 0 },
    parameters: () => model.parameters(),
    forward: (tokens, pass) => model.forward(tokens, pass),
    decode: () => {
      throw new Error("an encoder cannot decode");
    },
    makeCache: () => {
      throw new Error("an encoder has no cache");
    },
  };
}
