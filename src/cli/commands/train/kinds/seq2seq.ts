/** An encoder–decoder learns to answer strings. */
import type { Context } from "../../../../autograd/context.ts";
import { type AnswerEvaluation, evaluateAnswers } from "../../../../evaluate/exact-match.ts";
import { EncoderDecoder } from "../../../../nn/encoder-decoder.ts";
import { padTokens } from "../../../../nn/inputs/token-batch.ts";
import { Random } from "../../../../random.ts";
import { gptConfigOf, type RunConfig } from "../../../../run/config.ts";
import { greedyAnswers } from "../../../../sample/greedy-answers.ts";
import { SequenceToSequence } from "../../../../train/objectives/sequence-to-sequence.ts";
import { type Example, ToyTask } from "../../../../train/objectives/toy-task.ts";
import { formatCount, formatLoss } from "../../../../util/format.ts";
import { blindGuess, type EvaluationReport, type Prepare, type TrainableKind } from "./kind.ts";

/** How many strings the measurement at the end takes, and how many are shown. */
export const MEASURED_STRINGS = 500;
const SHOWN_STRINGS = 5;

export const prepareSeq2Seq: Prepare = async (config) => {
  const task = new ToyTask(config.settings);
  return (context) => new TrainableEncoderDecoder(context, config, task);
};

class TrainableEncoderDecoder implements TrainableKind {
  readonly model: EncoderDecoder;
  readonly objective: SequenceToSequence;
  readonly sources: readonly string[];
  readonly learnsFrom = null;
  readonly shapeSummary: string;
  readonly remark = null;
  readonly reference: TrainableKind["reference"];
  readonly tokens: TrainableKind["tokens"];
  readonly measured = "strings that it never learned from";
  readonly #config: RunConfig;
  readonly #task: ToyTask;

  constructor(context: Context, config: RunConfig, task: ToyTask) {
    const { settings, tokenizer } = config;
    const { minLength, maxLength, batchSize, evalBatches, seed } = settings;
    const modelConfig = gptConfigOf(settings, tokenizer.vocabSize);
    this.model = new EncoderDecoder(context, modelConfig, Random.of(seed, "weights"));
    this.objective = new SequenceToSequence(this.model, task, batchSize);
    const letters = tokenizer.decode(Array.from({ length: tokenizer.vocabSize }, (_, id) => id));
    this.sources = [
      `task        ${settings.task} strings of ${minLength} to ${maxLength} letters out of ${letters}`,
      "split       a hash of each string says whether it is learned from; one in ten is held out",
    ];
    // The letters and [end].
    this.reference = blindGuess(tokenizer.vocabSize + 1);
    this.shapeSummary = `strings up to ${maxLength}; an encoder and a decoder`;
    const tokensOf = (strings: number) => 2 * strings * (maxLength + 1);
    this.tokens = { estimate: tokensOf(evalBatches * batchSize), measure: tokensOf(MEASURED_STRINGS) };
    this.#config = config;
    this.#task = task;
  }

  async estimate(): Promise<EvaluationReport> {
    const { evalBatches, batchSize } = this.#config.settings;
    const evaluation = await evaluateAnswers(this.model, this.#task.heldOut(evalBatches * batchSize));
    const { lossNats, exact, strings } = evaluation;
    const words = `validation loss about ${formatLoss(lossNats)}, ${formatCount(exact)} of ${formatCount(strings)} strings right (estimate: some that are held out)`;
    return { evaluation, words };
  }

  async measure(): Promise<EvaluationReport> {
    const evaluation = await evaluateAnswers(this.model, this.#task.heldOut(MEASURED_STRINGS));
    return { evaluation, words: inWords(evaluation) };
  }

  async show(): Promise<string> {
    const { tokenizer } = this.#config;
    const examples = this.#task.heldOut(SHOWN_STRINGS);
    const sources = examples.map(({ source }) => source);
    const answers = await greedyAnswers(this.model, padTokens(sources, "right"));
    const line = ({ source }: Example, i: number) =>
      `${tokenizer.decode(source)} → ${tokenizer.decode(answers[i].ids)}`;
    return examples.map(line).join("\n");
  }

  sample(): Promise<string> {
    return this.show();
  }

  suggestions(folder: string): readonly string[] {
    const [{ source }] = this.#task.heldOut(1);
    return [
      `npx nopeek sample --model ${folder} --prompt ${this.#config.tokenizer.decode(source)}`,
      `npx nopeek eval --model ${folder}`,
    ];
  }
}

/** "validation loss 0.0002 nats, 485 of 485 held-out strings right to the last letter (3,698 tokens)" */
export function inWords({ lossNats, strings, exact, tokens }: AnswerEvaluation): string {
  return `validation loss ${formatLoss(lossNats)} nats, ${formatCount(exact)} of ${formatCount(strings)} held-out strings right to the last letter (${formatCount(tokens)} tokens)`;
}
