import { printableJson } from "../util/printable.ts";
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts";

/**
 * A token in readable form: quoted text, hex such as 0xc3 for a byte that is not a character by itself, or the name of
 * the token that ends a document.
 */
export function showToken(tokenizer: Tokenizer, id: number): string {
  if (id === tokenizer.endOfText) return END_OF_TEXT;
  if (tokenizer.kind === "byte" && id > 0x7f) return `0x${id.toString(16)}`;
  return printableJson(tokenizer.decode([id]));
}
