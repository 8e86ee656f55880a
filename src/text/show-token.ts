import { printableJson } from "../util/printable.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A token in readable form: quoted text, or hex such as 0xc3 for a byte that is not a character by itself. */
export function showToken(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.kind === "byte" && id > 0x7f) return `0x${id.toString(16)}`;
  return printableJson(tokenizer.decode([id]));
}
