/**
 * Bits per byte, a loss that can be compared whatever the tokens are. Fewer, longer tokens are each harder to predict, so
 * nats per token cannot be compared between tokenizers.
 *
 *   bits per byte = total nats of the predicted tokens / ln 2 / UTF-8 bytes of their text
 *
 * The end of a document counts as one byte and one character, like a line break in its place.
 */
import type { TokenIds } from "../data/token-source.ts";
import { stratifiedWindows } from "../data/window-loader.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { BATCH_SIZE, type Evaluation, type Range } from "./loss.ts";

/** The size of the text that an evaluation predicts. */
export interface PredictedText {
  readonly tokens: number;
  readonly bytes: number;
  readonly characters: number;
}

/** @example bitsPerByte({ lossNats: Math.LN2, tokens: 10 }, 20); // 0.5 */
export function bitsPerByte({ lossNats, tokens }: Pick<Evaluation, "lossNats" | "tokens">, bytes: number) {
  return (lossNats * tokens) / Math.LN2 / bytes;
}

/**
 * The size of the text that `evaluateSplit` predicts, with the same range and limit.
 *
 * @param most as in `evaluateSplit`
 */
export function predictedText(
  tokenizer: Pick<Tokenizer, "tokenBytes" | "vocabSize" | "endOfText">,
  contextLength: number,
  ids: TokenIds,
  range: Range,
  most: number,
): PredictedText {
  const bytesOf = new Float64Array(tokenizer.vocabSize);
  const charactersOf = new Float64Array(tokenizer.vocabSize);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const token = id === tokenizer.endOfText ? Uint8Array.of(0) : tokenizer.tokenBytes(id);
    bytesOf[id] = token.length;
    // Every byte of UTF-8 begins a character, except continuation bytes.
    charactersOf[id] = token.filter((byte) => (byte & 0xc0) !== 0x80).length;
  }
  let [tokens, bytes, characters] = [0, 0, 0];
  const size = { contextLength, batchSize: BATCH_SIZE };
  for (const { targets } of stratifiedWindows(ids, range.start, range.end, size, most)) {
    tokens += targets.length;
    for (const id of targets) {
      bytes += bytesOf[id];
      characters += charactersOf[id];
    }
  }
  return { tokens, bytes, characters };
}
