/** What the kinds that learn from a text have in common. */
import { relative } from "node:path";
import { TALES_NAME, TALES_PATH } from "../../../../data/corpus.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../../../data/split.ts";
import type { TokenIds } from "../../../../data/token-source.ts";
import type { TokenizedText } from "../../../../data/tokenized-corpus.ts";
import { DataError } from "../../../../errors.ts";
import type { Evaluation, Range } from "../../../../evaluate/loss.ts";
import type { RunConfig } from "../../../../run/config.ts";
import { formatCount, shellWord } from "../../../../util/format.ts";

export interface TrainingText {
  readonly text: TokenizedText;
  readonly split: CorpusSplit<TokenIds>;
  /** Where what is held out stands among the ids. */
  readonly heldOut: Range;
  readonly sources: readonly string[];
}

/** @throws DataError when the text is too short for a window */
export function readText({ settings, tokenizer }: RunConfig, text: TokenizedText | null): TrainingText {
  if (text === null)
    throw new DataError(`--model ${settings.model} learns from a text: name one with --data`);
  const { ids, report, dropped, files, remarks } = text;
  const split = splitCorpus<TokenIds>(ids);
  checkSplit(split, settings.contextLength);
  const { train, validation, boundary } = split;
  const name = text.path === TALES_PATH ? TALES_NAME : text.path;
  const { characters, distinct, rarest, warnings } = report;
  const rare = rarest.map(({ character, count }) => `${JSON.stringify(character)} ${formatCount(count)}×`);
  const joined =
    files === 1
      ? ""
      : `, in ${files} files, one after the other; folders by name, each text to the end of a line`;
  const sources = [
    `corpus      ${name}: ${formatCount(characters)} characters${joined}`,
    `            ${formatCount(distinct)} different characters; the rarest: ${rare.join(", ")}`,
    ...(dropped === 0
      ? []
      : [`            ${formatCount(dropped)} that the model does not know were dropped`]),
    ...warnings.map((warning) => `warning     ${warning}`),
    ...remarks,
    `split       ${formatCount(train.length)} tokens to learn from, the last ${formatCount(validation.length)} held out; ${tokenizer.vocabSize} different ones`,
  ];
  return { text, split, heldOut: { start: boundary, end: ids.length }, sources };
}

/** How much of what is held out a measurement takes. */
export function measuredTokens({ heldOut }: TrainingText, { settings }: RunConfig): number {
  return Math.min(heldOut.end - heldOut.start, settings.measureTokens);
}

/** What a measurement takes in, in words. */
export function measuredInWords({ heldOut }: TrainingText, { settings }: RunConfig): string {
  return heldOut.end - heldOut.start <= settings.measureTokens
    ? "the whole validation split"
    : `${formatCount(settings.measureTokens)} tokens, in windows spread over the validation split`;
}

/** Of a measurement that did not take in the whole split: what it did take in. */
export function spreadInWords({ tokens }: Evaluation, { heldOut }: TrainingText): string {
  return `${formatCount(tokens)} of ${formatCount(heldOut.end - heldOut.start)} tokens held out, in windows spread over them, always the same; --measure-tokens says how many`;
}

/** The paths of a corpus as words of the shell. */
export function dataFlag({ path, paths }: TokenizedText): string {
  if (path === TALES_PATH) return shellWord(relative(".", TALES_PATH));
  return paths.map(shellWord).join(" ");
}
