import type { Tokenizer } from "./tokenizer.ts";

/** A token as a person can read it; of bytes, those that are no character alone stand as 0xc3. */
export function showToken(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.kind === "byte" && id > 0x7f) return `0x${id.toString(16)}`;
  return JSON.stringify(tokenizer.decode([id]));
}
