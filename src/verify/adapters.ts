/** Adapts encoders and encoder–decoders to the interface that the checks need: token rows in, logits out. */
import type { Encoder } from "../nn/encoder.ts";
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { INFERENCE } from "../nn/inputs/forward-options.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import type { CheckedModel } from "./check.ts";

/** Adapts the decoder of an encoder–decoder, with the same source in every row. */
export function adaptDecoder(model: EncoderDecoder, source: readonly number[]): CheckedModel {
  return adaptDecoderWithSources(model, (batchSize) => ({
    ids: Array.from({ length: batchSize }, () => source).flat(),
    batchSize,
  }));
}

/** Adapts the decoder with the sources that `sourcesOf` returns for a batch of that size. */
export function adaptDecoderWithSources(
  model: EncoderDecoder,
  sourcesOf: (batchSize: number) => TokenBatch,
): CheckedModel {
  const { context, config } = model;
  return {
    context,
    // The decoder also predicts [end].
    config: { ...config, vocabSize: model.endId + 1, bigram: false, logitCap: 0 },
    parameters: () => model.parameters(),
    forward: (tokens, options = INFERENCE) => model.forward(sourcesOf(tokens.batchSize), tokens, options),
    decode: (tokens, cache) => model.forward(sourcesOf(tokens.batchSize), tokens, { cache, random: null }),
    makeCache: (batchSize) => model.makeCache(batchSize),
  };
}

/** Adapts an encoder. The checks for causality then run on it too, and fail. */
export function adaptEncoder(model: Encoder): CheckedModel {
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
