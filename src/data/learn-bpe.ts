/** Learns a byte-pair encoding from a corpus. */
import type { BpeTokenizer } from "../text/bpe/bpe-tokenizer.ts";
import { type BpeOptions, trainOnWords } from "../text/bpe/train-bpe.ts";
import { WordCounts } from "../text/bpe/word-counts.ts";
import type { Corpus } from "./corpus.ts";
import { DOCUMENT_END } from "./documents.ts";

/**
 * Learns from the part of a text to train on only, so that the tokenizer knows nothing of what validates the model.
 *
 * @throws DataError if the text has changed
 */
export async function learnBpe(corpus: Pick<Corpus, "parts">, options: BpeOptions): Promise<BpeTokenizer> {
  const words = new WordCounts();
  const { training } = await corpus.parts();
  for await (const chunk of training()) {
    for (let start = 0; start < chunk.length; ) {
      const mark = chunk.indexOf(DOCUMENT_END, start);
      const end = mark < 0 ? chunk.length : mark;
      words.push(decodeText(chunk.subarray(start, end)));
      if (mark >= 0) words.end();
      start = end + 1;
    }
  }
  words.end();
  return trainOnWords(words, options);
}

const decodeText = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
