/** Characters that a tokenizer does not know. */
import { TokenError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** "reject" them with an error, "drop" them, or spell them in bytes, which only a byte tokenizer can. */
export const UNKNOWN_POLICIES = ["reject", "drop", "byte"] as const;
export type UnknownPolicy = (typeof UNKNOWN_POLICIES)[number];

/**
 * Whether characters that a tokenizer does not know are left out; where they are not, they are an error.
 *
 * @throws TokenError for "byte" with a tokenizer of characters
 */
export function dropsUnknown({ kind }: Tokenizer, unknown: UnknownPolicy): boolean {
  if (kind === "byte" || unknown === "reject") return false;
  if (unknown === "drop") return true;
  throw new TokenError(
    "`unknown` byte: this model's tokens are characters, and it has none for bytes; use drop, or train one with `tokenizer` byte",
  );
}
