import { TokenError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import { ByteLevelTokenizer } from "./byte-level-tokenizer.ts";
import type { SpecialTokens, StreamingTextEncoder, TokenizerData } from "./tokenizer.ts";

const BYTES = 256;

/**
 * A tokenizer whose tokens are UTF-8 bytes: 256 ids encode any text. Bytes that are not valid UTF-8 decode to U+FFFD.
 * So does an unpaired surrogate, which is not a character and has no UTF-8 encoding.
 *
 * @example
 * const tokenizer = new ByteTokenizer();
 * tokenizer.decode(tokenizer.encode("naïve")); // "naïve"
 */
export class ByteTokenizer extends ByteLevelTokenizer {
  readonly kind = "byte";
  readonly vocabSize: number;
  readonly endOfText: number | null;

  constructor({ endOfText }: SpecialTokens = {}) {
    super();
    this.endOfText = endOfText ? BYTES : null;
    this.vocabSize = endOfText ? BYTES + 1 : BYTES;
  }

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    return Int32Array.from(new TextEncoder().encode(text));
  }

  encoder(): StreamingTextEncoder {
    return { push: (text) => this.encode(text), end: () => [] };
  }

  tokenBytes(id: number): Uint8Array {
    if (Number.isInteger(id) && id >= 0 && id < BYTES) return Uint8Array.of(id);
    if (id === this.endOfText) return new Uint8Array(0);
    throw new TokenError(`decode: byte tokenizer ids are 0 … ${this.vocabSize - 1}: got ${id}`);
  }

  toJSON(): TokenizerData {
    return this.endOfText === null ? { kind: this.kind } : { kind: this.kind, endOfText: true };
  }
}
