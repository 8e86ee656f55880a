/** A GPT, trained to continue a text. */
import type { Context } from "../../../../autograd/context.ts";
import { entropyFloor } from "../../../../data/corpus.ts";
import type { RunJobs } from "../../../../distributed/jobs.ts";
import { bitsPerByte, type PredictedText, predictedText } from "../../../../evaluate/bits-per-byte.ts";
import { estimateLoss, evaluateSplit } from "../../../../evaluate/loss.ts";
import { measuredSet, measuredTokens } from "../../../../evaluate/measured-set.ts";
import { GPT } from "../../../../nn/gpt.ts";
import { Random } from "../../../../random.ts";
import { gptConfigOf, type RunConfig } from "../../../../run/config.ts";
import { NextToken } from "../../../../train/objectives/next-token.ts";
import { describeLoss, formatCount, formatLoss, shellWord } from "../../../../util/format.ts";
import { promptIn } from "../../../shared/example-prompt.ts";
import { writeSample } from "../samples.ts";
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

/** The length of the sample at the end of a run, and of one while training: under a hundredth of a run's time. */
const SHOWN_TOKENS = 400;
const LOGGED_TOKENS = 200;

export const openGPT: OpenKind = async (context, config, tokenized) => {
  const text = readText(config, tokenized);
  return new TrainableGPT(context, config, text, await entropyFloor(text.text.sha256));
};

class TrainableGPT implements TrainableKind {
  readonly model: GPT;
  readonly objective: NextToken;
  readonly sources: readonly string[];
  readonly trainingTokens: number;
  readonly shapeSummary: string;
  readonly remark: string | null;
  readonly reference: TrainableKind["reference"];
  readonly tokens: TrainableKind["tokens"];
  readonly measured: string;
  readonly covers: string;
  readonly #config: RunConfig;
  readonly #text: TrainingText;
  /** In nats per token. */
  readonly #floor: number | null;
  readonly #predicted: PredictedText;

  constructor(context: Context, config: RunConfig, text: TrainingText, perCharacter: number | null) {
    const { settings, tokenizer } = config;
    const { contextLength, evalBatches, batchSize, seed } = settings;
    this.model = new GPT(context, gptConfigOf(settings, tokenizer.vocabSize), Random.of(seed, "weights"));
    const { measureTokens: most } = settings;
    this.#predicted = predictedText(tokenizer, contextLength, text.text.ids, text.heldOut, most);
    const { characters, tokens } = this.#predicted;
    const floor = perCharacter === null ? null : (perCharacter * characters) / tokens;
    this.objective = new NextToken(this.model, text.split.train, settings);
    this.sources = text.sources;
    this.trainingTokens = text.split.train.length;
    this.shapeSummary = `context ${contextLength}`;
    this.remark =
      floor === null
        ? null
        : `floor       ${formatLoss(floor)} nats: the entropy of the text's grammar; no model can go below it without peeking`;
    this.reference = floor === null ? blindGuess(tokenizer.vocabSize) : { name: "floor", value: floor };
    const estimate = evalBatches * batchSize * contextLength;
    this.tokens = { estimate, measure: measuredTokens(text.heldOut, settings) };
    this.measured = measuredInWords(text, config);
    this.covers = measuredSet(text.text.sha256, text.heldOut, settings);
    this.#config = config;
    this.#text = text;
    this.#floor = floor;
  }

  async estimate(runJobs?: RunJobs): Promise<EvaluationReport> {
    const { evalBatches, batchSize, seed } = this.#config.settings;
    const options = { batches: evalBatches, batchSize, seed };
    const evaluation = await estimateLoss(this.model, this.#text.split.validation, options, runJobs);
    const { lossNats } = evaluation;
    const floor = this.#floor === null ? "" : `, floor ${formatLoss(this.#floor)}`;
    const report = `validation loss about ${describeLoss(lossNats, this.bitsPerByte(lossNats))}${floor} (estimate: ${formatCount(evaluation.tokens)} tokens in random windows)`;
    return { evaluation, text: report };
  }

  async measure(runJobs?: RunJobs): Promise<EvaluationReport> {
    const { text, heldOut } = this.#text;
    const most = this.#config.settings.measureTokens;
    const measured = await evaluateSplit(this.model, text.ids, heldOut, most, runJobs);
    const perByte = this.bitsPerByte(measured.lossNats);
    const evaluation = { ...measured, bitsPerByte: perByte };
    const above =
      this.#floor === null
        ? ""
        : `, ${(100 * (evaluation.lossNats / this.#floor - 1)).toFixed(1)}% above the floor`;
    const over =
      evaluation.method === "whole split"
        ? `whole split: ${formatCount(evaluation.tokens)} tokens, each predicted once`
        : spreadInWords(evaluation, this.#text);
    const report = `validation loss ${describeLoss(evaluation.lossNats, perByte)}${above} (${over})`;
    return { evaluation, text: report };
  }

  bitsPerByte(lossNats: number): number {
    const { tokens, bytes } = this.#predicted;
    return bitsPerByte({ lossNats, tokens }, bytes);
  }

  show(): Promise<string> {
    return writeSample(this.model, this.#config, SHOWN_TOKENS, "sample");
  }

  sample(): Promise<string> {
    return writeSample(this.model, this.#config, LOGGED_TOKENS, "sample while training");
  }

  baselines(): ReturnType<TrainableKind["baselines"]> {
    return textBaselines(this.#text, this.#config);
  }

  suggestions(folder: string): readonly string[] {
    const { tokenizer, settings } = this.#config;
    const prompt = promptIn(beginningOf(this.#text, tokenizer), settings.contextLength);
    const flag = prompt === null ? "" : ` --prompt ${shellWord(prompt)}`;
    return [`npx nopeek sample --model ${folder}${flag}`, ...evalCommands(folder, this.#text.text)];
  }
}
