/** The tokenizer interface. A character is a Unicode code point, never half of a UTF-16 pair. */

/** A tokenizer as saved with a run. `tokenizerFromJSON` restores it. */
export type TokenizerData =
  | { readonly kind: "byte" }
  /** Every known character once, in the order of the ids. */
  | { readonly kind: "char"; readonly characters: string };

/** Decodes ids one at a time, to show text while it is generated. */
export interface StreamingDecoder {
  /** The characters that `id` completes; "" while a character is incomplete. */
  push(id: number): string;
  /** The rest of the text: U+FFFD if the last character is incomplete, otherwise "". */
  end(): string;
}

/** Converts text to token ids and back. */
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
