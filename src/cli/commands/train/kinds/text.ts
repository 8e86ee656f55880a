/** The text of a model that is trained on one: how it is split, checked and described. */
import type { Settings } from "../../../../config/settings.ts";
import { TALES_PATH } from "../../../../data/corpus.ts";
import { type CorpusSplit, checkSplit, splitCorpus } from "../../../../data/split.ts";
import { type SplitDifference, splitDifference } from "../../../../data/split-difference.ts";
import { TALES_NAME } from "../../../../data/tales.ts";
import { STDIN } from "../../../../data/text-files.ts";
import { readIds, type TokenIds } from "../../../../data/token-source.ts";
import type { TokenizedText } from "../../../../data/tokenized-corpus.ts";
import { DataError } from "../../../../errors.ts";
import { baselinesOf } from "../../../../evaluate/baselines.ts";
import type { Evaluation, Range } from "../../../../evaluate/loss.ts";
import { log } from "../../../../math.ts";
import type { CorpusRecord, RunConfig } from "../../../../run/config.ts";
import type { Tokenizer } from "../../../../text/tokenizer.ts";
import { formatCount } from "../../../../util/format.ts";

const EXAMPLE_TOKENS = 500;

export interface TrainingText {
  readonly text: TokenizedText;
  readonly split: CorpusSplit<TokenIds>;
  /** The range of the validation split among the ids. */
  readonly heldOut: Range;
  readonly sources: readonly string[];
}

/** The length of a text in tokens, and of its part to train on; null if it is split at its end. */
export interface TextLength {
  readonly tokens: number;
  readonly boundary: number | null;
}

/** @throws DataError when a text is too short for a window in each split */
export function checkTextLength({ tokens, boundary }: TextLength, contextLength: number): void {
  const ids = { length: tokens, subarray: (start: number, end = tokens) => ({ length: end - start }) };
  checkSplit(splitCorpus(ids, boundary ?? undefined), contextLength);
}

/** @throws DataError when the text is too short for a window in each split */
export function readText(
  { settings, tokenizer, corpus }: RunConfig,
  text: TokenizedText | null,
): TrainingText {
  if (text === null) throw new DataError(`--model ${settings.model} trains on a text: name one with --data`);
  const { ids, report, dropped, files, remarks } = text;
  const split = splitCorpus<TokenIds>(ids, text.boundary);
  checkSplit(split, settings.contextLength);
  const { train, validation, boundary } = split;
  const name = text.path === TALES_PATH ? TALES_NAME : text.path;
  const { characters, distinct, documents, rarest, warnings } = report;
  const rare = rarest.map(({ character, count }) => `${JSON.stringify(character)} ${formatCount(count)}×`);
  const joined =
    files === 1
      ? ""
      : `, in ${files} files, joined in order; folders sorted by name, each file ending in a newline`;
  const validationInWords = (count: string) => {
    if (corpus?.validation !== undefined) return `${count} of ${corpus.validation.join(", ")}`;
    return settings.split === "tail" ? `the last ${count}` : `${count} of a tenth of the documents`;
  };
  const sources = [
    `corpus      ${name}: ${formatCount(characters)} characters${joined}`,
    `            ${formatCount(distinct)} distinct characters; the rarest: ${rare.join(", ")}`,
    ...(documents === 0
      ? []
      : [`documents   ${formatCount(documents)} ${settings.documents}, each followed by an end token`]),
    ...(dropped === 0
      ? []
      : [`            ${formatCount(dropped)} characters unknown to the model were dropped`]),
    ...warnings.map((warning) => `warning     ${warning}`),
    ...remarks,
    `split       ${formatCount(train.length)} tokens for training, ${validationInWords(formatCount(validation.length))} for validation; vocabulary of ${tokenizer.vocabSize}`,
  ];
  const difference = splitDifference(ids, boundary, tokenizer.vocabSize);
  if (difference !== null) sources.push(differenceInWords(difference, settings, corpus));
  return { text, split, heldOut: { start: boundary, end: ids.length }, sources };
}

function differenceInWords(
  { validationNats, trainingNats }: SplitDifference,
  { split, documents }: Settings,
  corpus: CorpusRecord | null,
): string {
  const what = `warning     the validation part is unlike the rest: the frequencies of token pairs predict it with ${validationNats.toFixed(2)} nats per token, and other training text with ${trainingNats.toFixed(2)}`;
  if (split === "shuffle" || corpus?.validation !== undefined) return what;
  const kind = documents === "none" ? "lines" : documents;
  return `${what}; if the text is sorted, use --documents ${kind} --split shuffle`;
}

/** What a full evaluation covers, as text. */
export function measuredInWords({ heldOut }: TrainingText, { settings }: RunConfig): string {
  return heldOut.end - heldOut.start <= settings.measureTokens
    ? "the whole validation split"
    : `${formatCount(settings.measureTokens)} tokens, in windows spread over the validation split`;
}

/** What an evaluation covered, if it was not the whole split. */
export function spreadInWords({ tokens }: Evaluation, { heldOut }: TrainingText): string {
  return `${formatCount(tokens)} of ${formatCount(heldOut.end - heldOut.start)} validation tokens, in fixed windows spread over them; --measure-tokens sets how many`;
}

/** What a verdict compares the loss on a text with. */
export function textBaselines({ split }: TrainingText, { tokenizer }: RunConfig) {
  const { train, validation } = split;
  const { frequencyNats, ngramNats, unseenTrainingNats } = baselinesOf(
    train,
    validation,
    tokenizer.vocabSize,
  );
  const ngrams = { validationNats: ngramNats, unseenTrainingNats };
  return { guessNats: log(tokenizer.vocabSize), frequencyNats, ngrams };
}

/** The beginning of the validation split, to take an example from. */
export function beginningOf({ split }: TrainingText, tokenizer: Tokenizer): string {
  const { validation } = split;
  return tokenizer.decode(readIds(validation, 0, Math.min(validation.length, EXAMPLE_TOKENS)));
}

/** The command that evaluates a model on its own text; none if that was read from standard input. */
export function evalCommands(folder: string, { paths }: TokenizedText): string[] {
  return paths.includes(STDIN) ? [] : [`npx nopeek eval --model ${folder}`];
}
