/** The tokens and merges of a byte-pair encoding, in GPT-2's spelling of bytes. */
import { BpeTokenizer } from "../text/bpe/bpe-tokenizer.ts";
import { BYTES } from "../text/bpe/merges.ts";
import { spellBytes } from "../text/byte-characters.ts";

export interface SpelledMerges {
  /** In the order of the ids: the bytes, then one for each merge. */
  readonly tokens: string[];
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * @param merges as in a tokenizer's JSON: pairs of ids, "104 101"
 * @throws TokenError unless each merge joins two tokens that exist before it
 */
export function spelledMerges(merges: readonly string[]): SpelledMerges {
  const tokenizer = BpeTokenizer.fromJSON({ kind: "bpe", merges });
  const spell = (id: number) => spellBytes(tokenizer.tokenBytes(id));
  return {
    tokens: Array.from({ length: BYTES + merges.length }, (_, id) => spell(id)),
    merges: tokenizer.merges.map(([first, second]) => [spell(first), spell(second)]),
  };
}
