/** An encoder, trained to fill in blanks. */
import type { Context } from "../../../../autograd/context.ts";
import { readIds } from "../../../../data/token-source.ts";
import type { RunJobs } from "../../../../distributed/jobs.ts";
import { estimateMaskedLoss, evaluateMaskedSplit } from "../../../../evaluate/masked-loss.ts";
import { measuredSet, measuredTokens } from "../../../../evaluate/measured-set.ts";
import { Encoder } from "../../../../nn/encoder.ts";
import { Random } from "../../../../random.ts";
import { gptConfigOf, type RunConfig } from "../../../../run/config.ts";
import { fillBlanks, textWithBlanks } from "../../../../sample/fill-blanks.ts";
import { MaskedToken } from "../../../../train/objectives/masked-token.ts";
import { formatCount, formatLoss, shellWord } from "../../../../util/format.ts";
import { blankedPromptIn } from "../../../shared/example-prompt.ts";
import { blindGuess, type EvaluationReport, type OpenKind, type TrainableKind } from "./kind.ts";
import {
  beginningOf,
  evalCommands,
  measuredInWords,
  readText,
  spreadInWords,
  type TrainingText,
  textBaselines,
} from "./text.ts";

/** In a sample, one token in this many is a blank. */
const SHOWN_BLANK_EVERY = 7;
const SAMPLE_TOKENS = 100;

export const openEncoder: OpenKind = async (context, config, tokenized) =>
  new TrainableEncoder(context, config, readText(config, tokenized));

class TrainableEncoder implements TrainableKind {
  readonly model: Encoder;
  readonly objective: MaskedToken;
  readonly sources: readonly string[];
  readonly trainingTokens: number;
  readonly shapeSummary: string;
  readonly remark =
    "objective   predict 15% of the tokens, which are hidden, from both sides; the floor for next tokens does not apply";
  readonly reference: TrainableKind["reference"];
  readonly tokens: TrainableKind["tokens"];
  readonly measured: string;
  readonly covers: string;
  readonly #config: RunConfig;
  readonly #text: TrainingText;

  constructor(context: Context, config: RunConfig, text: TrainingText) {
    const { settings, tokenizer } = config;
    const { contextLength, evalBatches, batchSize, seed } = settings;
    this.model = new Encoder(context, gptConfigOf(settings, tokenizer.vocabSize), Random.of(seed, "weights"));
    this.objective = new MaskedToken(this.model, text.split.train, settings);
    this.sources = text.sources;
    this.trainingTokens = text.split.train.length;
    this.shapeSummary = `context ${contextLength}, bidirectional`;
    this.reference = blindGuess(tokenizer.vocabSize);
    const estimate = evalBatches * batchSize * contextLength;
    this.tokens = { estimate, measure: measuredTokens(text.heldOut, settings) };
    this.measured = measuredInWords(text, config);
    this.covers = measuredSet(text.text.sha256, text.heldOut, settings);
    this.#config = config;
    this.#text = text;
  }

  async estimate(runJobs?: RunJobs): Promise<EvaluationReport> {
    const { evalBatches, batchSize, seed } = this.#config.settings;
    const options = { batches: evalBatches, batchSize, seed };
    const evaluation = await estimateMaskedLoss(this.model, this.#text.split.validation, options, runJobs);
    const text = `validation loss about ${formatLoss(evaluation.lossNats)} (estimate: ${formatCount(evaluation.tokens)} hidden tokens in random windows)`;
    return { evaluation, text };
  }

  async measure(runJobs?: RunJobs): Promise<EvaluationReport> {
    const { split, heldOut } = this.#text;
    const most = this.#config.settings.measureTokens;
    const evaluation = await evaluateMaskedSplit(this.model, this.#text.text.ids, heldOut, most, runJobs);
    const over =
      evaluation.method === "whole split"
        ? `whole split: ${formatCount(evaluation.tokens)} of ${formatCount(split.validation.length)} tokens hidden, by fixed masks`
        : `hidden: ${spreadInWords(evaluation, this.#text)}`;
    const text = `validation loss ${formatLoss(evaluation.lossNats)} nats (${over})`;
    return { evaluation, text };
  }

  /** A piece of the validation set: with blanks, filled in, and the original. */
  async show(): Promise<string> {
    return (await this.#filledIn(this.#config.settings.contextLength)).join("\n\n");
  }

  async sample(): Promise<string> {
    const [, filled] = await this.#filledIn(Math.min(SAMPLE_TOKENS, this.#config.settings.contextLength));
    return filled;
  }

  async #filledIn(tokens: number): Promise<[prompt: string, filled: string, original: string]> {
    const { tokenizer } = this.#config;
    const piece = Array.from(readIds(this.#text.split.validation, 0, tokens));
    const hidden = piece.map((id, t) => (t % SHOWN_BLANK_EVERY === 0 ? this.model.maskId : id));
    const { ids } = await fillBlanks(this.model, hidden);
    return [textWithBlanks(this.model, tokenizer, hidden), tokenizer.decode(ids), tokenizer.decode(piece)];
  }

  /** It sees both sides of a hidden token: its loss is no code length of the text. */
  bitsPerByte(): null {
    return null;
  }

  /** n-grams see only what is before a token: nothing to compare blanks with. */
  baselines(): ReturnType<TrainableKind["baselines"]> {
    return { ...textBaselines(this.#text, this.#config), ngrams: null };
  }

  suggestions(folder: string): readonly string[] {
    const { tokenizer, settings } = this.#config;
    const prompt = blankedPromptIn(beginningOf(this.#text, tokenizer), settings.contextLength);
    const flag = ` --prompt ${shellWord(prompt)}`;
    return [`npx nopeek sample --model ${folder}${flag}`, ...evalCommands(folder, this.#text.text)];
  }
}
