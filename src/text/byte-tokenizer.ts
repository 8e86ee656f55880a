import { TokenError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import type { StreamingDecoder, Tokenizer, TokenizerData } from "./tokenizer.ts";

const VOCAB_SIZE = 256;

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
  readonly vocabSize = VOCAB_SIZE;

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    return Int32Array.from(new TextEncoder().encode(text));
  }

  decode(ids: ArrayLike<number>): string {
    checkTypes("decode", { ids }, { ids: "numbers" });
    const bytes = Uint8Array.from(ids, checkByte);
    return makeTextDecoder().decode(bytes);
  }

  decoder(): StreamingDecoder {
    const text = makeTextDecoder();
    return {
      push: (id) => text.decode(Uint8Array.of(checkByte(id)), { stream: true }),
      end: () => text.decode(),
    };
  }

  toJSON(): TokenizerData {
    return { kind: this.kind };
  }
}

/** A byte order mark is treated like any other character, so decoding reverses encoding. */
const makeTextDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });

function checkByte(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < VOCAB_SIZE) return id;
  throw new TokenError(`decode: byte tokenizer ids are 0 … ${VOCAB_SIZE - 1}: got ${id}`);
}
