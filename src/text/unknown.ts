/** Characters that a tokenizer does not know. */
import { TokenError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** "reject" them with an error, "drop" them, or spell them in bytes, which only a byte tokenizer can. */
export type Unknown = "reject" | "drop" | "byte";

/** The text as a tokenizer can encode it, and how many characters were dropped from it. */
export interface KnownText {
  readonly text: string;
  readonly dropped: number;
}

/** @throws TokenError for "byte" with a tokenizer of characters; "reject" leaves the complaint to `encode` */
export function knownText(text: string, tokenizer: Tokenizer, unknown: Unknown): KnownText {
  const data = tokenizer.toJSON();
  if (data.kind === "byte" || unknown === "reject") return { text, dropped: 0 };
  if (unknown === "byte") {
    throw new TokenError(
      "--unknown byte: this model's tokens are characters, and it has none for bytes; use drop, or train one with --tokenizer byte",
    );
  }
  const known = new Set(data.characters);
  let dropped = 0;
  let kept = "";
  for (const character of text) {
    if (known.has(character)) kept += character;
    else dropped++;
  }
  return { text: kept, dropped };
}
