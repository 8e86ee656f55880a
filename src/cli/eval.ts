/** `nopeek eval`: the figure to report of a model, on what it was not trained on. */
import { ConfigError, DataError } from "../errors.ts";
import { Encoder } from "../nn/encoder.ts";
import { GPT } from "../nn/gpt.ts";
import { EncoderDecoder } from "../nn/seq2seq.ts";
import type { TokenizerData } from "../text/tokenizer.ts";
import { splitCorpus } from "../train/corpus.ts";
import { wholeLoss } from "../train/evaluate.ts";
import { evaluateAnswers } from "../train/evaluate-answers.ts";
import { wholeMaskedLoss } from "../train/evaluate-masked.ts";
import type { Settings } from "../train/settings.ts";
import { ToyTask } from "../train/toy-task.ts";
import { entropyFloor, readTexts } from "./corpus-file.ts";
import { type CommonFlags, threadsOf } from "./flags.ts";
import { formatCount, formatLoss } from "./format.ts";
import { encodeKnown, type Unknown } from "./known-ids.ts";
import { openAnyModel } from "./open-model.ts";
import { inWords, MEASURED_STRINGS } from "./studies/seq2seq.ts";
import { Terminal } from "./terminal.ts";

interface EvalFlags extends CommonFlags {
  readonly model: string;
  readonly data?: readonly string[];
  readonly split?: Split;
  readonly unknown?: Unknown;
}

type Split = "train" | "val" | "all";

/** A text, and the part of it that is measured. */
interface Part {
  readonly ids: Int32Array;
  readonly split: Split;
  readonly range: { readonly start: number; readonly end: number };
  readonly sha256: string;
}

export async function evaluate(flags: EvalFlags): Promise<void> {
  const terminal = new Terminal();
  const opened = await openAnyModel(flags.model, flags, threadsOf(flags));
  const { model, tokenizer, config, backend } = opened;
  const json = flags.json === true;
  if (model instanceof EncoderDecoder) await answers(terminal, model, config.settings, flags);
  else {
    const encode = (text: string) => encodeKnown(tokenizer, text, flags.unknown, terminal).ids;
    const part = await readPart(flags, encode);
    if (model instanceof GPT) await nextTokens(terminal, model, part, tokenizer.kind, json);
    if (model instanceof Encoder) await hiddenTokens(terminal, model, part, json);
  }
  await backend.close();
}

async function readPart(flags: EvalFlags, encode: (text: string) => Int32Array): Promise<Part> {
  const { data, split = "val" } = flags;
  if (data === undefined) throw new ConfigError("this model is measured on a text: name one with --data");
  const { text, sha256, path } = await readTexts(data);
  const ids = encode(text);
  const range = rangeOf(split, ids);
  // The first token of a text has nothing before it.
  if (range.end > Math.max(range.start, 1)) return { ids, split, range, sha256 };
  throw new DataError(`${path}: its split "${split}" has no character to predict; use a longer text`);
}

async function nextTokens(
  terminal: Terminal,
  model: GPT,
  { ids, split, range, sha256 }: Part,
  kind: TokenizerData["kind"],
  json: boolean,
): Promise<void> {
  const { lossNats, tokens, method } = await wholeLoss(model, ids, range);
  const chars = countCharacters(ids.subarray(range.end - tokens, range.end), kind);
  const bitsPerChar = (lossNats * tokens) / chars / Math.LN2;
  const { contextLength } = model.config;
  if (json) {
    terminal.json({ lossNats, bitsPerChar, chars, tokens, split, method, contextLength });
    return;
  }
  const floor = split === "val" ? await entropyFloor(sha256) : null;
  terminal.write(`loss ${formatLoss(lossNats)} nats a token, ${bitsPerChar.toFixed(4)} bits a character\n`);
  terminal.note(
    `over the ${method} "${split}": ${formatCount(chars)} characters, each predicted once, in windows of ${contextLength}`,
  );
  if (floor !== null)
    terminal.note(`the floor, which no model can go below without peeking: ${formatLoss(floor)}`);
}

async function hiddenTokens(
  terminal: Terminal,
  model: Encoder,
  { ids, split, range }: Part,
  json: boolean,
): Promise<void> {
  const { lossNats, tokens, method } = await wholeMaskedLoss(model, ids, range);
  const { contextLength } = model.config;
  if (json) {
    terminal.json({ lossNats, tokens, split, method, contextLength });
    return;
  }
  terminal.write(`loss ${formatLoss(lossNats)} nats a hidden token\n`);
  terminal.note(
    `over the ${method} "${split}": ${formatCount(tokens)} of ${formatCount(range.end - range.start)} tokens hidden, by masks that are always the same, in windows of ${contextLength}`,
  );
}

async function answers(
  terminal: Terminal,
  model: EncoderDecoder,
  settings: Settings,
  { data, split, json }: EvalFlags,
): Promise<void> {
  if (data !== undefined || (split !== undefined && split !== "val")) {
    throw new ConfigError(
      "a seq2seq model is measured on strings that are drawn and that it never learnt from: it takes no --data and no other --split than val",
    );
  }
  const evaluation = await evaluateAnswers(model, new ToyTask(settings).heldOut(MEASURED_STRINGS));
  if (json) terminal.json({ ...evaluation, split: "val" });
  else terminal.write(`${inWords(evaluation)}\n`);
}

function rangeOf(split: Split, ids: Int32Array): { start: number; end: number } {
  const { boundary } = splitCorpus(ids);
  return {
    start: split === "val" ? boundary : 0,
    end: split === "train" ? boundary : ids.length,
  };
}

/** Characters among token ids; of UTF-8, every byte counts that does not continue a character. */
function countCharacters(ids: Int32Array, kind: TokenizerData["kind"]): number {
  return kind === "char"
    ? ids.length
    : ids.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
}
