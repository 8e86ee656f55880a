/** `nopeek eval`: the loss to report for a model, by default on the validation split. */
import { entropyFloor } from "../../../data/corpus.ts";
import { runHere, runOnRanks } from "../../../distributed/jobs.ts";
import { CheckpointError, ConfigError } from "../../../errors.ts";
import { bitsPerByte, predictedText } from "../../../evaluate/bits-per-byte.ts";
import type { AnswerEvaluation } from "../../../evaluate/exact-match.ts";
import type { Evaluation } from "../../../evaluate/loss.ts";
import type { Encoder } from "../../../nn/encoder.ts";
import { EncoderDecoder } from "../../../nn/encoder-decoder.ts";
import { GPT } from "../../../nn/gpt.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { formatCount, formatLoss } from "../../../util/format.ts";
import { threadsOf } from "../../options/settings-flags.ts";
import { describeAnswers } from "../../shared/answer-report.ts";
import { buildOn, type ReadModel, readModel } from "../../shared/open-model.ts";
import { joinProcesses } from "../../shared/processes/join.ts";
import { Terminal } from "../../terminal/output.ts";
import { evaluatePart, evaluateStrings } from "./evaluation.ts";
import { follow } from "./follow.ts";
import { type EvalFlags, type Part, readPart, type Split } from "./part.ts";
import { sendModel } from "./send-model.ts";

/** @param version of this program, which must be the same in all processes */
export async function evaluate(word: string | undefined, given: EvalFlags, version: string): Promise<void> {
  const joined = await joinProcesses("eval", given, version);
  const flags = joined?.flags ?? given;
  if (joined !== null && joined.communicator.rank > 0) return follow(flags, joined);
  const communicator = joined?.communicator ?? null;
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  const { model, tokenizer, config, backend } = await buildOn(saved, flags, threadsOf(flags));
  const json = flags.json === true;
  const runJobs = communicator === null ? runHere : runOnRanks(communicator);
  if (model instanceof EncoderDecoder) {
    checkNoText(flags);
    await sendModel(communicator, config, model, null);
    const evaluation = await evaluateStrings(model, config.settings, runJobs);
    checkFinite(evaluation, saved);
    answers(terminal, evaluation, json);
  } else {
    const progress = {
      note: (line: string) => terminal.note(line),
      status: (line: string) => terminal.status(line),
    };
    const part = await readPart(flags, config, saved.path, progress);
    terminal.clearStatus();
    await sendModel(communicator, config, model, part.sha256);
    const evaluation = await evaluatePart(model, part, runJobs);
    checkFinite(evaluation, saved);
    if (model instanceof GPT) await nextTokens(terminal, model, part, evaluation, tokenizer, json);
    else hiddenTokens(terminal, model, part, evaluation, json);
  }
  joined?.ended();
  await backend.close();
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

function answers(terminal: Terminal, evaluation: AnswerEvaluation, json: boolean): void {
  if (json) terminal.json({ ...evaluation, split: "val" });
  else terminal.write(`${describeAnswers(evaluation)}\n`);
}

/** @throws ConfigError if the flags choose a text, for a model that reads none */
function checkNoText({ data, split }: EvalFlags): void {
  if (data === undefined && (split === undefined || split === "val")) return;
  throw new ConfigError(
    "a seq2seq model is evaluated on generated validation strings: --data is not allowed, and --split must be val",
  );
}

/** Finite weights may be so large that the logits are not. */
function checkFinite({ lossNats }: Pick<Evaluation, "lossNats">, { path, files }: ReadModel): void {
  if (Number.isFinite(lossNats)) return;
  throw new CheckpointError(
    `${path}: its loss is ${lossNats}: the weights of step ${files.step} are too large for single precision; try an earlier one with \`step\``,
  );
}

/** "the whole val split", or a fixed set of windows from it. */
function coverage(method: Evaluation["method"], split: Split): string {
  const part = split === "all" ? "text" : `${split} split`;
  return method === "whole split" ? `the whole ${part}` : `a fixed set of windows from the ${part}`;
}

function limitHint(method: Evaluation["method"]): string {
  return method === "whole split" ? "" : "; --measure-tokens sets the limit";
}
