import { TokenError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import {
  END_OF_TEXT,
  type SpecialTokens,
  type StreamingDecoder,
  type Tokenizer,
  type TokenizerData,
} from "./tokenizer.ts";

const BYTES = 256;

/**
 * A tokenizer whose tokens are UTF-8 bytes: 256 ids encode any text. Bytes that are not valid UTF-8 decode to U+FFFD.
 * So does an unpaired surrogate, which is not a character and has no UTF-8 encoding.
 *
 * @example
 * const tokenizer = new ByteTokenizer();
 * tokenizer.decode(tokenizer.encode("naïve")); // "naïve"
 */
export class ByteTokenizer implements Tokenizer {
  readonly kind = "byte";
  readonly vocabSize: number;
  readonly endOfText: number | null;

  constructor({ endOfText }: SpecialTokens = {}) {
    this.endOfText = endOfText ? BYTES : null;
    this.vocabSize = endOfText ? BYTES + 1 : BYTES;
  }

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    return Int32Array.from(new TextEncoder().encode(text));
  }

  decode(ids: ArrayLike<number>): string {
    checkTypes("decode", { ids }, { ids: "numbers" });
    const bytes = new Uint8Array(ids.length);
    let [text, start] = ["", 0];
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] !== this.endOfText) {
        bytes[i] = this.#byte(ids[i]);
        continue;
      }
      text += makeTextDecoder().decode(bytes.subarray(start, i)) + END_OF_TEXT;
      start = i + 1;
    }
    return text + makeTextDecoder().decode(bytes.subarray(start));
  }

  decoder(): StreamingDecoder {
    const text = makeTextDecoder();
    return {
      push: (id) => {
        if (id === this.endOfText) return text.decode() + END_OF_TEXT;
        return text.decode(Uint8Array.of(this.#byte(id)), { stream: true });
      },
      end: () => text.decode(),
    };
  }

  toJSON(): TokenizerData {
    return this.endOfText === null ? { kind: this.kind } : { kind: this.kind, endOfText: true };
  }

  #byte(id: number): number {
    if (Number.isInteger(id) && id >= 0 && id < BYTES) return id;
    throw new TokenError(`decode: byte tokenizer ids are 0 … ${this.vocabSize - 1}: got ${id}`);
  }
}

/** A byte order mark is treated like any other character, so decoding reverses encoding. */
const makeTextDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
