import { TokenError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import {
  END_OF_TEXT,
  type SpecialTokens,
  type StreamingDecoder,
  type StreamingTextEncoder,
  type Tokenizer,
  type TokenizerData,
} from "./tokenizer.ts";

const NO_ID = -1;
const FIRST_TWO_UNIT_CODE_POINT = 0x10000;

/**
 * A tokenizer whose tokens are the characters (code points) of the training text, in code point order. The vocabulary
 * is small and needs no training, but text with any other character cannot be encoded.
 *
 * @example
 * const tokenizer = CharTokenizer.fromText("hello world");
 * tokenizer.encode("hold"); // Int32Array of 4 ids, each below tokenizer.vocabSize
 */
export class CharTokenizer implements Tokenizer {
  readonly kind = "char";
  /** The character of each id. */
  readonly #characters: readonly string[];
  /** The id of each code point up to the largest known one, or NO_ID. */
  readonly #ids: Int32Array;
  readonly vocabSize: number;
  readonly endOfText: number | null;

  /**
   * @param vocabulary every known character once, in code point order
   * @throws TokenError if it is empty, out of order, or contains half of a UTF-16 pair
   */
  constructor(vocabulary: string, { endOfText }: SpecialTokens = {}) {
    checkTypes("CharTokenizer", { vocabulary }, { vocabulary: "string" });
    this.#characters = Array.from(vocabulary);
    this.endOfText = endOfText ? this.#characters.length : null;
    this.vocabSize = this.#characters.length + (endOfText ? 1 : 0);
    const codePoints = this.#characters.map((character) => codePointAt(character, 0));
    checkVocabulary(codePoints);
    this.#ids = new Int32Array(codePoints[codePoints.length - 1] + 1).fill(NO_ID);
    codePoints.forEach((codePoint, id) => {
      this.#ids[codePoint] = id;
    });
  }

  /** A tokenizer whose vocabulary is the set of characters in `text`. */
  static fromText(text: string): CharTokenizer {
    checkTypes("CharTokenizer.fromText", { text }, { text: "string" });
    const seen = new Uint8Array(0x110000);
    for (let at = 0; at < text.length; ) {
      const codePoint = codePointAt(text, at);
      seen[codePoint] = 1;
      at += unitCount(codePoint);
    }
    let vocabulary = "";
    for (let codePoint = seen.indexOf(1); codePoint >= 0; codePoint = seen.indexOf(1, codePoint + 1)) {
      vocabulary += String.fromCodePoint(codePoint);
    }
    return new CharTokenizer(vocabulary);
  }

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    const ids = new Int32Array(text.length);
    let count = 0;
    for (let at = 0; at < text.length; ) {
      const codePoint = codePointAt(text, at);
      const id = codePoint < this.#ids.length ? this.#ids[codePoint] : NO_ID;
      if (id === NO_ID) throw this.#unknownCharacter(text, at);
      ids[count++] = id;
      at += unitCount(codePoint);
    }
    return count === ids.length ? ids : ids.slice(0, count);
  }

  encoder(): StreamingTextEncoder {
    return { push: (text) => this.encode(text), end: () => [] };
  }

  decode(ids: ArrayLike<number>): string {
    checkTypes("decode", { ids }, { ids: "numbers" });
    let text = "";
    for (let i = 0; i < ids.length; i++) text += this.#character(ids[i]);
    return text;
  }

  decoder(): StreamingDecoder {
    return { push: (id) => this.#character(id), end: () => "" };
  }

  tokenBytes(id: number): Uint8Array {
    return new TextEncoder().encode(id === this.endOfText ? "" : this.#character(id));
  }

  toJSON(): TokenizerData {
    const data = { kind: this.kind, characters: this.#characters.join("") } as const;
    return this.endOfText === null ? data : { ...data, endOfText: true };
  }

  #character(id: number): string {
    const character = id === this.endOfText ? END_OF_TEXT : this.#characters[id];
    if (character === undefined) {
      throw new TokenError(`decode: this vocabulary's ids are 0 … ${this.vocabSize - 1}: got ${id}`);
    }
    return character;
  }

  #unknownCharacter(text: string, at: number): TokenError {
    const before = Array.from(text.slice(0, at));
    const line = before.filter((character) => character === "\n").length + 1;
    const column = before.length - before.lastIndexOf("\n");
    const place = { character: before.length + 1, line, column };
    return unknownCharacter(codePointAt(text, at), this.#characters.length, place);
  }
}

/** A position in a text. All three count from 1. */
export interface TextPosition {
  readonly character: number;
  readonly line: number;
  readonly column: number;
}

/** The error for a character outside a vocabulary of size `vocabSize`. */
export function unknownCharacter(
  codePoint: number,
  vocabSize: number,
  { character, line, column }: TextPosition,
): TokenError {
  return new TokenError(
    `encode: ${nameCharacter(codePoint)} is not among the ${vocabSize} characters of this ` +
      `model's vocabulary: character ${character} of the text, line ${line}, column ${column}; ` +
      "train on text that contains it, or use the byte tokenizer",
  );
}

function checkVocabulary(codePoints: readonly number[]): void {
  if (codePoints.length === 0) {
    throw new TokenError("vocabulary: needs at least one character: got none (is the text empty?)");
  }
  let previous = -1;
  for (const codePoint of codePoints) {
    if (isSurrogate(codePoint)) {
      throw new TokenError(
        `vocabulary: ${nameCharacter(codePoint)} is not a character; remove it from the text`,
      );
    }
    if (codePoint <= previous) {
      throw new TokenError(
        `vocabulary: characters must be unique and in code point order: got ${nameCharacter(codePoint)} after ${nameCharacter(previous)}`,
      );
    }
    previous = codePoint;
  }
}

/** The code point that starts at UTF-16 unit `at`, which must be inside the text. */
function codePointAt(text: string, at: number): number {
  return text.codePointAt(at) ?? NO_ID;
}

function unitCount(codePoint: number): number {
  return codePoint >= FIRST_TWO_UNIT_CODE_POINT ? 2 : 1;
}

/** Whether this is half of a UTF-16 pair. `codePointAt` returns one only if the other half is missing. */
function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

/** `"é" (U+00E9)`; characters that a terminal does not show are escaped: `"\n" (U+000A)`, `"\u{301}" (U+0301)`. */
function nameCharacter(codePoint: number): string {
  const hex = codePoint.toString(16);
  const name = `U+${hex.toUpperCase().padStart(4, "0")}`;
  if (isSurrogate(codePoint)) return `${name}, half of a UTF-16 pair`;
  const character = String.fromCodePoint(codePoint);
  if (/^[\p{L}\p{N}\p{P}\p{S} ]$/u.test(character)) return `"${character}" (${name})`;
  const escaped = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character] ?? `\\u{${hex}}`;
  return `"${escaped}" (${name})`;
}
