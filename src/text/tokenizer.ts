/** The tokenizer interface. A character is a Unicode code point, never half of a UTF-16 pair. */

/** A tokenizer as saved with a run. `tokenizerFromJSON` restores it. */
export type TokenizerData =
  | ({ readonly kind: "byte" } & SpecialTokens)
  /** Every known character once, in the order of the ids. */
  | ({ readonly kind: "char"; readonly characters: string } & SpecialTokens)
  /** Two ids per merge, such as "104 101". */
  | ({ readonly kind: "bpe"; readonly merges: readonly string[] } & SpecialTokens)
  | HuggingFaceData;

/** A `tokenizer.json` that came with a model. */
export interface HuggingFaceData {
  readonly kind: "huggingface";
  /** The contents of the file. */
  readonly definition: string;
  /** The number of tokens that the model knows; the file may have fewer. */
  readonly vocabSize: number;
  /** The id of the token that ends a document. */
  readonly endOfText: number | null;
}

/** Tokens that are not text; their ids follow those of the text. */
export interface SpecialTokens {
  /** Whether there is a token that ends a document. */
  readonly endOfText?: true | undefined;
}

/** How the token that ends a document is shown: GPT-2's name for it. */
export const END_OF_TEXT = "<|endoftext|>";

/** Decodes ids one at a time, to show text while it is generated. */
export interface StreamingDecoder {
  /** The characters that `id` completes; "" while a character is incomplete. */
  push(id: number): string;
  /** The rest of the text: U+FFFD if the last character is incomplete, otherwise "". */
  end(): string;
}

/** Encodes a text that comes in pieces of whole characters. The ids are those of the whole text. */
export interface StreamingTextEncoder {
  /** The ids that are certain by now, after those returned before. */
  push(text: string): ArrayLike<number>;
  /** The rest of the ids. After that, another text can begin. */
  end(): ArrayLike<number>;
}

/** Converts text to token ids and back. */
export interface Tokenizer {
  readonly kind: TokenizerData["kind"];
  /** Ids are 0 … vocabSize−1. */
  readonly vocabSize: number;
  /** The id of the token that ends a document; null if there is none. No text encodes to it, except in "huggingface". */
  readonly endOfText: number | null;
  /** The id that the ids of a document begin with; null if there is none. Left out if it is `endOfText`. */
  readonly startOfText?: number | null | undefined;
  /** @throws TokenError for a character outside the vocabulary */
  encode(text: string): Int32Array;
  /** The end of a document decodes to `END_OF_TEXT`. @throws TokenError for an id outside the vocabulary */
  decode(ids: ArrayLike<number>): string;
  encoder(): StreamingTextEncoder;
  decoder(): StreamingDecoder;
  /** The UTF-8 bytes of a token; none for the end of a document. @throws TokenError for an id outside the vocabulary */
  tokenBytes(id: number): Uint8Array;
  toJSON(): TokenizerData;
}

/**
 * The ids of a text that begins a document. In training, every document follows the end of another.
 *
 * @throws TokenError for a character outside the vocabulary
 * @example
 * const ids = encodeDocument(tokenizer, "Em"); // [endOfText, E, m] if the tokenizer has an end token
 */
export function encodeDocument(tokenizer: Tokenizer, text: string): Int32Array {
  const inner = tokenizer.encode(text);
  const { endOfText, startOfText = endOfText } = tokenizer;
  if (startOfText === null) return inner;
  const ids = new Int32Array(inner.length + 1);
  ids[0] = startOfText;
  ids.set(inner, 1);
  return ids;
}
