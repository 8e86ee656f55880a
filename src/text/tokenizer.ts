/**
 * What every tokenizer does: text to token ids and back. A character here is a Unicode code point, never half of
 * a UTF-16 pair.
 */

/** What a run keeps of a tokenizer: JSON from which `tokenizerFromJSON` builds it again. */
export type TokenizerData =
  | { readonly kind: "byte" }
  /** Every known character once, in the order of the ids. */
  | { readonly kind: "char"; readonly characters: string };

/** Turns ids into text one at a time, for showing text while it is being made. */
export interface StreamingDecoder {
  /** The characters that `id` completes: none while a character is unfinished. */
  push(id: number): string;
  /** What is left: U+FFFD for a character that never became whole. */
  end(): string;
}

export interface Tokenizer {
  readonly kind: TokenizerData["kind"];
  /** Ids are 0 … vocabSize−1. */
  readonly vocabSize: number;
  /** @throws TokenError for a character outside the vocabulary */
  encode(text: string): Int32Array;
  /** @throws TokenError for an id outside the vocabulary */
  decode(ids: ArrayLike<number>): string;
  decoder(): StreamingDecoder;
  toJSON(): TokenizerData;
}
