import type { Tokenizer } from "./tokenizer.ts";

/**
 * The characters that a tokenizer can encode; null if it can encode any text.
 *
 * @example
 * knownCharacters(CharTokenizer.fromText("abba")); // a Set of "a" and "b"
 */
export function knownCharacters(tokenizer: Tokenizer): ReadonlySet<string> | null {
  const data = tokenizer.toJSON();
  return data.kind === "char" ? new Set(data.characters) : null;
}
