/** What the kinds that learn from a text have in common. */
import { relative } from "node:path";
import { DataError } from "../../errors.ts";
import { knownText } from "../../text/unknown.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../train/corpus.ts";
import { reportCorpus } from "../../train/corpus-report.ts";
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
  const { text, dropped } = knownText(corpus.text, tokenizer, settings.unknown);
  const ids = tokenizer.encode(text);
  const split = splitCorpus(ids);
  checkSplit(split, settings.contextLength);
  const { train, validation } = split;
  const name = corpus.path === TALES_PATH ? TALES_NAME : corpus.path;
  const { characters, distinct, rarest, warnings } = reportCorpus(corpus.text);
  const rare = rarest.map(({ character, count }) => `${JSON.stringify(character)} ${formatCount(count)}×`);
  const joined =
    corpus.files === 1
      ? ""
      : `, in ${corpus.files} files, one after the other; folders by name, each text to the end of a line`;
  const sources = [
    `corpus      ${name}: ${formatCount(characters)} characters${joined}`,
    `            ${formatCount(distinct)} different characters; the rarest: ${rare.join(", ")}`,
    ...(dropped === 0
      ? []
      : [`            ${formatCount(dropped)} that the model does not know were dropped`]),
    ...warnings.map((warning) => `warning     ${warning}`),
    `split       ${formatCount(train.length)} tokens to learn from, the last ${formatCount(validation.length)} held out; ${tokenizer.vocabSize} different ones`,
  ];
  return { corpus, ids, split, sources };
}

/** The paths of a corpus as words of the shell. */
export function dataWord({ path, paths }: CorpusFile): string {
  if (path === TALES_PATH) return shellWord(relative(".", TALES_PATH));
  return paths.map(shellWord).join(" ");
}

export function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) count += (text.charCodeAt(i) & 0xfc00) === 0xdc00 ? 0 : 1;
  return count;
}
