/** `nopeek eval`: the loss to report for a model, by default on the validation split. */

import type { Settings } from "../../config/settings.ts";
import { MEASURE_TOKENS } from "../../config/settings-table.ts";
import { entropyFloor } from "../../data/corpus.ts";
import type { CacheFlags } from "../../data/token-cache.ts";
import { cachePlace } from "../../data/token-cache.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { tokenize } from "../../data/tokenized-corpus.ts";
import { CheckpointError, ConfigError, DataError, TokenError } from "../../errors.ts";
import { bitsPerByte, predictedText } from "../../evaluate/bits-per-byte.ts";
import { evaluateAnswers } from "../../evaluate/exact-match.ts";
import { type Evaluation, evaluateSplit, type Range } from "../../evaluate/loss.ts";
import { evaluateMaskedSplit } from "../../evaluate/masked-loss.ts";
import { Encoder } from "../../nn/encoder.ts";
import { EncoderDecoder } from "../../nn/encoder-decoder.ts";
import { GPT } from "../../nn/gpt.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { UnknownPolicy } from "../../text/unknown.ts";
import { ToyTask } from "../../train/objectives/toy-task.ts";
import { formatCount, formatLoss } from "../../util/format.ts";
import { type CommonFlags, threadsOf } from "../options/settings-flags.ts";
import { namesOfUnknown, reportDropped, withAdvice } from "../options/unknown-characters.ts";
import { describeAnswers, EVALUATED_STRINGS } from "../shared/answer-report.ts";
import type { ModelFlags } from "../shared/find-model.ts";
import { buildOn, type ReadModel, readModel } from "../shared/open-model.ts";
import { processes } from "../shared/process-lock.ts";
import { readCorpusFor } from "../shared/read-corpus.ts";
import { Terminal } from "../terminal/output.ts";

interface EvalFlags extends CommonFlags, CacheFlags, ModelFlags {
  readonly data?: readonly string[];
  readonly split?: Split;
  readonly unknown?: UnknownPolicy;
  readonly measureTokens?: number;
}

type Split = "train" | "val" | "all";

/** A text and the part of it to evaluate. */
interface Part {
  readonly ids: TokenIds;
  readonly split: Split;
  readonly range: Range;
  /** In a longer range, only windows with about this many tokens are evaluated. */
  readonly most: number;
  readonly sha256: string;
}

export async function evaluate(word: string | undefined, flags: EvalFlags): Promise<void> {
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  const { model, tokenizer, config, backend } = await buildOn(saved, flags, threadsOf(flags));
  const json = flags.json === true;
  if (model instanceof EncoderDecoder) await answers(terminal, model, config.settings, flags, saved);
  else {
    const part = await readPart(flags, saved, terminal);
    if (model instanceof GPT) {
      const evaluation = await evaluateSplit(model, part.ids, part.range, part.most);
      checkFinite(evaluation, saved);
      await nextTokens(terminal, model, part, evaluation, tokenizer, json);
    }
    if (model instanceof Encoder) {
      const evaluation = await evaluateMaskedSplit(model, part.ids, part.range, part.most);
      checkFinite(evaluation, saved);
      hiddenTokens(terminal, model, part, evaluation, json);
    }
  }
  await backend.close();
}

/** The part of the text in --data, else of the text that the run was trained on. */
async function readPart(
  flags: EvalFlags,
  { config, path: run }: ReadModel,
  terminal: Terminal,
): Promise<Part> {
  const { settings, tokenizer, corpus: trainedOn } = config;
  const { data, split = "val", measureTokens: most = MEASURE_TOKENS } = flags;
  if (!(most >= 1)) throw new ConfigError(`--measure-tokens must be at least 1: got ${most}`);
  const progress = {
    note: (line: string) => terminal.note(line),
    status: (line: string) => terminal.status(line),
  };
  const place = cachePlace(flags, run, processes());
  const validation = split === "all" ? undefined : trainedOn?.validation;
  const known = data !== undefined || trainedOn !== null;
  const texts = data === undefined ? {} : { data, ...(validation !== undefined && { validation }) };
  const corpus = known ? await readCorpusFor(settings, texts, trainedOn, place, progress) : null;
  if (corpus === null) throw new ConfigError("this model is evaluated on a text: name one with --data");
  const { unknown = data === undefined ? settings.unknown : "reject" } = flags;
  const characters = Array.from(corpus.marked.counts.keys(), (code) => String.fromCodePoint(code)).join("");
  const names = namesOfUnknown(tokenizer, characters);
  const read = await tokenize(corpus, tokenizer, unknown, place, progress).catch((error: unknown) => {
    if (error instanceof TokenError && unknown === "reject") throw withAdvice(error, names);
    throw error;
  });
  const { ids, sha256, path, boundary, dropped } = read;
  terminal.clearStatus();
  if (dropped > 0) reportDropped(terminal, dropped, names);
  if (validation !== undefined)
    terminal.note(
      `validation  ${validation.join(", ")}, as in training; --split all evaluates --data instead`,
    );
  const range = rangeOf(split, ids, boundary);
  // The first token of a text cannot be predicted.
  if (range.end > Math.max(range.start, 1)) return { ids, split, range, most, sha256 };
  throw new DataError(`${path}: its "${split}" split has no token to predict; use a longer text`);
}

async function nextTokens(
  terminal: Terminal,
  model: GPT,
  { ids, split, range, most, sha256 }: Part,
  { lossNats, tokens, method }: Evaluation,
  tokenizer: Tokenizer,
  json: boolean,
): Promise<void> {
  const { contextLength } = model.config;
  const { characters: chars, bytes } = predictedText(tokenizer, contextLength, ids, range, most);
  const bitsPerChar = (lossNats * tokens) / chars / Math.LN2;
  const perByte = bitsPerByte({ lossNats, tokens }, bytes);
  if (json) {
    terminal.json({
      lossNats,
      bitsPerChar,
      bitsPerByte: perByte,
      chars,
      bytes,
      tokens,
      split,
      method,
      contextLength,
    });
    return;
  }
  const floor = split === "val" ? await entropyFloor(sha256) : null;
  terminal.write(
    `loss ${formatLoss(lossNats)} nats per token, ${bitsPerChar.toFixed(4)} bits per character, ${perByte.toFixed(4)} bits per byte\n`,
  );
  terminal.note(
    `evaluated ${coverage(method, split)}: ${formatCount(chars)} characters, each predicted once, in windows of ${contextLength} tokens${limitHint(method)}`,
  );
  if (floor !== null)
    terminal.note(
      `entropy floor, the lowest loss possible without peeking: ${formatLoss((floor * chars) / tokens)} nats per token`,
    );
}

function hiddenTokens(
  terminal: Terminal,
  model: Encoder,
  { split, range }: Part,
  { lossNats, tokens, method }: Evaluation,
  json: boolean,
): void {
  const { contextLength } = model.config;
  if (json) {
    terminal.json({ lossNats, tokens, split, method, contextLength });
    return;
  }
  terminal.write(`loss ${formatLoss(lossNats)} nats per masked token\n`);
  terminal.note(
    `evaluated ${coverage(method, split)}: ${formatCount(tokens)} of ${formatCount(range.end - range.start)} tokens masked, in a fixed pattern, in windows of ${contextLength} tokens${limitHint(method)}`,
  );
}

async function answers(
  terminal: Terminal,
  model: EncoderDecoder,
  settings: Settings,
  { data, split, json }: EvalFlags,
  saved: ReadModel,
): Promise<void> {
  if (data !== undefined || (split !== undefined && split !== "val")) {
    throw new ConfigError(
      "a seq2seq model is evaluated on generated validation strings: --data is not allowed, and --split must be val",
    );
  }
  const evaluation = await evaluateAnswers(model, new ToyTask(settings).heldOut(EVALUATED_STRINGS));
  checkFinite(evaluation, saved);
  if (json) terminal.json({ ...evaluation, split: "val" });
  else terminal.write(`${describeAnswers(evaluation)}\n`);
}

/** Finite weights may be so large that the logits are not. */
function checkFinite({ lossNats }: Pick<Evaluation, "lossNats">, { path, files }: ReadModel): void {
  if (Number.isFinite(lossNats)) return;
  throw new CheckpointError(
    `${path}: its loss is ${lossNats}: the weights of step ${files.step} are too large for single precision; try an earlier one with \`step\``,
  );
}

function rangeOf(split: Split, ids: TokenIds, boundary: number): Range {
  return {
    start: split === "val" ? boundary : 0,
    end: split === "train" ? boundary : ids.length,
  };
}

/** "the whole val split", or a fixed set of windows from it. */
function coverage(method: Evaluation["method"], split: Split): string {
  const part = split === "all" ? "text" : `${split} split`;
  return method === "whole split" ? `the whole ${part}` : `a fixed set of windows from the ${part}`;
}

function limitHint(method: Evaluation["method"]): string {
  return method === "whole split" ? "" : "; --measure-tokens sets the limit";
}
