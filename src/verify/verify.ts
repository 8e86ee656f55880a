/** All checks for each kind of model, in order. */
import type { Encoder } from "../nn/encoder.ts";
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { adaptDecoder, adaptEncoder } from "./adapters.ts";
import { checkBatch } from "./batch.ts";
import { checkBidirectional } from "./bidirectional.ts";
import { checkCache } from "./cache.ts";
import { checkCausality } from "./causality.ts";
import type { CheckOptions, CheckResult } from "./check.ts";
import { checkCrossAttention } from "./cross-attention.ts";
import { checkFloor, type KnownText } from "./floor.ts";
import { checkGradients } from "./gradient-check.ts";
import { checkGradientFlow } from "./gradient-flow.ts";
import { checkPadding } from "./padding.ts";

export interface VerifyRequest<Kind> {
  readonly model: Kind;
  /** The same weights on a double-precision backend. */
  readonly twin: Kind;
  readonly options: CheckOptions;
}

/** Checks that the caller runs one after the other. */
export type Checks = readonly (() => Promise<CheckResult>)[];

export function checksOfGPT({
  model,
  twin,
  known,
  options,
}: VerifyRequest<GPT> & { readonly known: KnownText | null }): Checks {
  return [
    () => checkCausality(model, options),
    () => checkGradientFlow(model, options),
    () => checkCache(model, options),
    () => checkBatch(model, options),
    () => checkPadding(model, options),
    () => checkGradients(twin, options),
    () => checkFloor(model, known),
  ];
}

/** An encoder must attend in both directions. The checks of batching, padding and gradients are those of a GPT. */
export function checksOfEncoder({ model, twin, options }: VerifyRequest<Encoder>): Checks {
  const encoder = adaptEncoder(model);
  // The target at each position is the token itself, or token 0 for [MASK].
  const own = { ...options, targetsOf: (row: readonly number[]) => row.map((id) => id % model.maskId) };
  return [
    () => checkBidirectional(encoder, own),
    () => checkBatch(encoder, own),
    () => checkPadding(encoder, own),
    () => checkGradients(adaptEncoder(twin), own),
  ];
}

/** A decoder must not peek at later tokens of its answer, but attends to the whole source. */
export function checksOfEncoderDecoder({ model, twin, options }: VerifyRequest<EncoderDecoder>): Checks {
  const { contextLength, vocabSize } = model.config;
  const random = Random.of(options.seed, "source");
  const source = Array.from({ length: contextLength }, () => random.below(vocabSize));
  const decoder = adaptDecoder(model, source);
  const own = { ...options, targetsOf: (row: readonly number[]) => [...row.slice(1), model.endId] };
  return [
    () => checkCausality(decoder, own),
    () => checkGradientFlow(decoder, own),
    () => checkCache(decoder, own),
    () => checkBatch(decoder, own),
    () => checkPadding(decoder, own),
    () => checkCrossAttention(model, own),
    () => checkGradients(adaptDecoder(twin, source), own),
  ];
}
