/** All checks of a trained model, in their order. */
import type { Encoder } from "../nn/encoder.ts";
import type { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { decoderAfter, encoderSubject } from "./adapters.ts";
import { checkBatch } from "./batch.ts";
import { checkBothSides } from "./bidirectional.ts";
import { checkCache } from "./cache.ts";
import { checkFuture } from "./causality.ts";
import type { CheckOptions, CheckResult } from "./check.ts";
import { checkSources } from "./cross-attention.ts";
import { checkFloor, type KnownText } from "./floor.ts";
import { checkSlopes } from "./gradient-check.ts";
import { checkReach } from "./gradient-flow.ts";
import { checkPadding } from "./padding.ts";

export interface VerifyRequest<Kind> {
  readonly model: Kind;
  /** The same weights on a backend of double precision. */
  readonly twin: Kind;
  readonly options: CheckOptions;
}

/** Checks that are still to be run, each when its turn comes. */
export type Checks = readonly (() => Promise<CheckResult>)[];

export function checksOfGPT({
  model,
  twin,
  known,
  options,
}: VerifyRequest<GPT> & { readonly known: KnownText | null }): Checks {
  return [
    () => checkFuture(model, options),
    () => checkReach(model, options),
    () => checkCache(model, options),
    () => checkBatch(model, options),
    () => checkPadding(model, options),
    () => checkSlopes(twin, options),
    () => checkFloor(model, known),
  ];
}

/** An encoder may see what comes later, and must; what it shares with GPT is asked of it as of GPT. */
export function checksOfEncoder({ model, twin, options }: VerifyRequest<Encoder>): Checks {
  const subject = encoderSubject(model);
  // Asked what stands at each place, whatever that is; of [MASK], for the first token.
  const own = { ...options, targetsOf: (row: readonly number[]) => row.map((id) => id % model.maskId) };
  return [
    () => checkBothSides(subject, own),
    () => checkBatch(subject, own),
    () => checkPadding(subject, own),
    () => checkSlopes(encoderSubject(twin), own),
  ];
}

/** A decoder must not peek in what it writes; of its source it sees all. */
export function checksOfEncoderDecoder({ model, twin, options }: VerifyRequest<EncoderDecoder>): Checks {
  const { contextLength, vocabSize } = model.config;
  const random = Random.of(options.seed, "source");
  const source = Array.from({ length: contextLength }, () => random.below(vocabSize));
  const subject = decoderAfter(model, source);
  const own = { ...options, targetsOf: (row: readonly number[]) => [...row.slice(1), model.endId] };
  return [
    () => checkFuture(subject, own),
    () => checkReach(subject, own),
    () => checkCache(subject, own),
    () => checkBatch(subject, own),
    () => checkPadding(subject, own),
    () => checkSources(model, own),
    () => checkSlopes(decoderAfter(twin, source), own),
  ];
}
