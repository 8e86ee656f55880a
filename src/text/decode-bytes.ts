/** Decodes tokens that are bytes in UTF-8. Bytes that are not valid UTF-8 decode to U+FFFD. */
import { END_OF_TEXT, type StreamingDecoder, type Tokenizer } from "./tokenizer.ts";

type ByteTokens = Pick<Tokenizer, "tokenBytes" | "endOfText">;

/** @throws TokenError for an id outside the vocabulary */
export function decodeBytes(ids: ArrayLike<number>, tokenizer: ByteTokens): string {
  let text = "";
  let tokens: Uint8Array[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== tokenizer.endOfText) {
      tokens.push(tokenizer.tokenBytes(ids[i]));
      continue;
    }
    text += makeTextDecoder().decode(join(tokens)) + END_OF_TEXT;
    tokens = [];
  }
  return text + makeTextDecoder().decode(join(tokens));
}

/** Holds back the bytes of an incomplete character until the next token completes it. */
export function streamingDecoder(tokenizer: ByteTokens): StreamingDecoder {
  const text = makeTextDecoder();
  return {
    push: (id) => {
      if (id === tokenizer.endOfText) return text.decode() + END_OF_TEXT;
      return text.decode(tokenizer.tokenBytes(id), { stream: true });
    },
    end: () => text.decode(),
  };
}

/** A byte order mark is treated like any other character, so decoding reverses encoding. */
const makeTextDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });

function join(tokens: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(tokens.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const token of tokens) {
    bytes.set(token, at);
    at += token.length;
  }
  return bytes;
}
