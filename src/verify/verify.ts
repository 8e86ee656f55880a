/** All checks of a trained model, one after the other. */
import type { GPT } from "../nn/gpt.ts";
import { checkBatch } from "./batch.ts";
import { checkCache } from "./cache.ts";
import type { CheckOptions, CheckResult } from "./check.ts";
import { checkFloor, type KnownText } from "./floor.ts";
import { checkFuture } from "./future.ts";
import { checkPadding } from "./padding.ts";
import { checkReach } from "./reach.ts";
import { checkSlopes } from "./slopes.ts";

export interface VerifyRequest {
  readonly model: GPT;
  /** The same weights on a backend of double precision. */
  readonly twin: GPT;
  readonly known: KnownText | null;
  readonly options: CheckOptions;
}

/** How many results `verify` gives. */
export const CHECK_COUNT = 7;

/** Gives each result as soon as it is there. */
export async function* verify({ model, twin, known, options }: VerifyRequest): AsyncGenerator<CheckResult> {
  yield await checkFuture(model, options);
  yield await checkReach(model, options);
  yield await checkCache(model, options);
  yield await checkBatch(model, options);
  yield await checkPadding(model, options);
  yield await checkSlopes(twin, options);
  yield await checkFloor(model, known);
}
