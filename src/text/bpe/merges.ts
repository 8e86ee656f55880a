/** The merges of a byte-pair encoding: what they are, and whether a list of them is one. */
import { TokenError } from "../../errors.ts";
import { concatenate } from "../utf8.ts";

/** The ids of the bytes are 0 … 255. */
export const BYTES = 256;
/** With the bytes and the token that ends a document, every id fits into 16 bits. */
export const LARGEST_VOCABULARY = 65_536;
/** In bytes. It bounds the memory of a vocabulary from a file. */
export const LONGEST_TOKEN = 256;

/** Two tokens that form a new one. Merge number i makes the token 256 + i. */
export type Merge = readonly [first: number, second: number];

/**
 * The bytes of each token of the text, in the order of the ids.
 *
 * @throws TokenError unless each merge joins two tokens that exist before it, into bytes that no other token has
 */
export function tokensOf(merges: readonly Merge[]): readonly Uint8Array[] {
  checkCount(merges);
  const tokens = bytesAsTokens();
  const known = new Set(tokens.map(bytesKey));
  merges.forEach((merge, i) => {
    const [first, second] = checkMerge(merge, i);
    const token = concatenate(tokens[first], tokens[second]);
    if (token.length > LONGEST_TOKEN)
      throw new TokenError(
        `merges[${i}]: makes a token of ${token.length} bytes; the longest has ${LONGEST_TOKEN}`,
      );
    const key = bytesKey(token);
    if (known.has(key))
      throw new TokenError(
        `merges[${i}]: tokens ${first} and ${second} form the bytes of an earlier token; every token needs its own`,
      );
    known.add(key);
    tokens.push(token);
  });
  return tokens;
}

/** @throws TokenError if there are too many merges */
export function checkCount({ length }: { readonly length: number }): void {
  const most = LARGEST_VOCABULARY - BYTES - 1;
  if (length > most) throw new TokenError(`merges: at most ${most} fit: got ${length}`);
}

function checkMerge(merge: Merge, i: number): Merge {
  const known = BYTES + i;
  const isPair = Array.isArray(merge) && merge.length === 2;
  if (isPair && merge.every((id) => Number.isInteger(id) && id >= 0 && id < known)) return merge;
  throw new TokenError(
    `merges[${i}]: must be two of the ids 0 … ${known - 1}, which exist before it: got ${JSON.stringify(merge)?.slice(0, 40)}`,
  );
}

/** A number for two ids. */
export function pairKey(first: number, second: number): number {
  return first * LARGEST_VOCABULARY + second;
}

/** The tokens before the first merge. */
export function bytesAsTokens(): Uint8Array[] {
  return Array.from({ length: BYTES }, (_, byte) => Uint8Array.of(byte));
}

/** A string for some bytes. */
export function bytesKey(bytes: Uint8Array): string {
  return bytes.reduce((key, byte) => key + String.fromCharCode(byte), "");
}
