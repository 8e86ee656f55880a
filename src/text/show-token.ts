import { printableJson } from "../util/printable.ts";
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts";

/**
 * A token in readable form: quoted text, hex such as 0xc3 for bytes that are not characters by themselves, or the name of
 * the token that ends a document.
 */
export function showToken(tokenizer: Tokenizer, id: number): string {
  if (id === tokenizer.endOfText) return END_OF_TEXT;
  const bytes = tokenizer.tokenBytes(id);
  if (isText(bytes)) return printableJson(tokenizer.decode([id]));
  return Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(" ");
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
