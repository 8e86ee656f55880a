/**
 * Tokens are the bytes of UTF-8: 256 ids that spell any text at all. Bytes that are not UTF-8 decode to U+FFFD;
 * so does an unpaired surrogate, which is no character and has no UTF-8.
 */
import { TokenError } from "../errors.ts";
import type { StreamingDecoder, Tokenizer, TokenizerData } from "./tokenizer.ts";

const VOCAB_SIZE = 256;

export class ByteTokenizer implements Tokenizer {
  readonly kind = "byte";
  readonly vocabSize = VOCAB_SIZE;

  encode(text: string): Int32Array {
    return Int32Array.from(new TextEncoder().encode(text));
  }

  decode(ids: ArrayLike<number>): string {
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

/** A byte order mark is a character like any other here: what is encoded comes back. */
const makeTextDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });

function checkByte(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < VOCAB_SIZE) return id;
  throw new TokenError(`decode: ids of the byte tokenizer are 0 … ${VOCAB_SIZE - 1}: got ${id}`);
}
