import { checkTypes } from "../util/check-types.ts";
import { joinBytes } from "../util/join-bytes.ts";
import {
  END_OF_TEXT,
  type StreamingDecoder,
  type StreamingTextEncoder,
  type Tokenizer,
  type TokenizerData,
} from "./tokenizer.ts";

/** A tokenizer whose tokens are bytes in UTF-8. Bytes that are not valid UTF-8 decode to U+FFFD. */
export abstract class ByteLevelTokenizer implements Tokenizer {
  abstract readonly kind: TokenizerData["kind"];
  abstract readonly vocabSize: number;
  abstract readonly endOfText: number | null;
  abstract encode(text: string): Int32Array;
  abstract encoder(): StreamingTextEncoder;
  abstract tokenBytes(id: number): Uint8Array;
  abstract toJSON(): TokenizerData;

  decode(ids: ArrayLike<number>): string {
    checkTypes("decode", { ids }, { ids: "numbers" });
    let text = "";
    let tokens: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] !== this.endOfText) {
        tokens.push(this.tokenBytes(ids[i]));
        continue;
      }
      text += makeTextDecoder().decode(joinBytes(tokens)) + END_OF_TEXT;
      tokens = [];
    }
    return text + makeTextDecoder().decode(joinBytes(tokens));
  }

  /** Holds back the bytes of an incomplete character until the next token completes it. */
  decoder(): StreamingDecoder {
    const text = makeTextDecoder();
    return {
      push: (id) => {
        if (id === this.endOfText) return text.decode() + END_OF_TEXT;
        return text.decode(this.tokenBytes(id), { stream: true });
      },
      end: () => text.decode(),
    };
  }
}

/** A byte order mark is treated like any other character, so decoding reverses encoding. */
const makeTextDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
