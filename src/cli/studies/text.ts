/** What the kinds that learn from a text have in common. */
import { relative } from "node:path";
import { DataError } from "../../errors.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../train/corpus.ts";
import type { RunConfig } from "../../train/run-config.ts";
import { type CorpusFile, TALES_NAME, TALES_PATH } from "../corpus-file.ts";
import { formatCount, shellWord } from "../format.ts";

export interface TextToLearn {
  readonly corpus: CorpusFile;
  readonly ids: Int32Array;
  readonly split: CorpusSplit;
  readonly sources: readonly string[];
}

/** @throws DataError when the text is too short for a window */
export function readText({ settings, tokenizer }: RunConfig, corpus: CorpusFile | null): TextToLearn {
  if (corpus === null)
    throw new DataError(`--model ${settings.model} learns from a text: name one with --data`);
  const ids = tokenizer.encode(corpus.text);
  const split = splitCorpus(ids);
  checkSplit(split, settings.contextLength);
  const { train, validation } = split;
  const name = corpus.path === TALES_PATH ? TALES_NAME : corpus.path;
  const sources = [
    `corpus      ${name}: ${formatCount(countCodePoints(corpus.text))} characters`,
    `split       ${formatCount(train.length)} tokens to learn from, the last ${formatCount(validation.length)} held out; ${tokenizer.vocabSize} different ones`,
  ];
  return { corpus, ids, split, sources };
}

/** The path of a corpus as a word of the shell. */
export function dataWord({ path }: CorpusFile): string {
  return shellWord(path === TALES_PATH ? relative(".", TALES_PATH) : path);
}

export function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) count += (text.charCodeAt(i) & 0xfc00) === 0xdc00 ? 0 : 1;
  return count;
}
