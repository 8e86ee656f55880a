/** How to handle characters outside a tokenizer's vocabulary. */
import { TokenError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** "reject" throws an error, "drop" leaves them out, "byte" encodes them as bytes (byte tokenizers only). */
export const UNKNOWN_POLICIES = ["reject", "drop", "byte"] as const;
export type UnknownPolicy = (typeof UNKNOWN_POLICIES)[number];

/**
 * Whether unknown characters are dropped. If not, they are an error.
 *
 * @throws TokenError for "byte" with a character tokenizer
 */
export function dropsUnknown({ kind }: Tokenizer, unknown: UnknownPolicy): boolean {
  if (kind !== "char" || unknown === "reject") return false;
  if (unknown === "drop") return true;
  throw new TokenError(
    "`unknown` byte: this model's tokens are characters, not bytes; use drop, or train a model with `tokenizer` byte",
  );
}
