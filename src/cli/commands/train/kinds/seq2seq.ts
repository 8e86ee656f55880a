/** An encoder–decoder, trained to answer strings. */
import type { Context } from "../../../../autograd/context.ts";
import type { RunJobs } from "../../../../distributed/jobs.ts";
import { evaluateAnswers } from "../../../../evaluate/exact-match.ts";
import { EncoderDecoder } from "../../../../nn/encoder-decoder.ts";
import { padTokens } from "../../../../nn/inputs/token-batch.ts";
import { Random } from "../../../../random.ts";
import { gptConfigOf, type RunConfig } from "../../../../run/config.ts";
import { greedyAnswers } from "../../../../sample/greedy-answers.ts";
import { SequenceToSequence } from "../../../../train/objectives/sequence-to-sequence.ts";
import { type Example, ToyTask } from "../../../../train/objectives/toy-task.ts";
import { formatCount, formatLoss } from "../../../../util/format.ts";
import { describeAnswers, EVALUATED_STRINGS } from "../../../shared/answer-report.ts";
import { blindGuess, type EvaluationReport, type OpenKind, type TrainableKind } from "./kind.ts";

/** Number of strings in a sample. */
const SHOWN_STRINGS = 5;

export const openSeq2Seq: OpenKind = async (context, config) =>
  new TrainableEncoderDecoder(context, config, new ToyTask(config.settings));

class TrainableEncoderDecoder implements TrainableKind {
  readonly model: EncoderDecoder;
  readonly objective: SequenceToSequence;
  readonly sources: readonly string[];
  readonly trainingTokens = null;
  readonly shapeSummary: string;
  readonly remark = null;
  readonly reference: TrainableKind["reference"];
  readonly tokens: TrainableKind["tokens"];
  readonly measured = "held-out strings";
  readonly covers = `${EVALUATED_STRINGS} strings`;
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
      `task        ${settings.task} strings of ${minLength} to ${maxLength} letters from ${letters}`,
      "split       a hash of each string decides whether it is held out; one in ten is",
    ];
    // The letters and [end].
    this.reference = blindGuess(tokenizer.vocabSize + 1);
    this.shapeSummary = `strings of up to ${maxLength} letters, encoder and decoder`;
    const tokensOf = (strings: number) => 2 * strings * (maxLength + 1);
    this.tokens = { estimate: tokensOf(evalBatches * batchSize), measure: tokensOf(EVALUATED_STRINGS) };
    this.#config = config;
    this.#task = task;
  }

  async estimate(runJobs?: RunJobs): Promise<EvaluationReport> {
    const { evalBatches, batchSize } = this.#config.settings;
    const examples = this.#task.heldOut(evalBatches * batchSize);
    const evaluation = await evaluateAnswers(this.model, examples, runJobs);
    const { lossNats, exact, strings } = evaluation;
    const text = `validation loss about ${formatLoss(lossNats)}, ${formatCount(exact)} of ${formatCount(strings)} strings exactly right (estimate: some held-out strings)`;
    return { evaluation, text, answers: { exact, strings } };
  }

  async measure(runJobs?: RunJobs): Promise<EvaluationReport> {
    const examples = this.#task.heldOut(EVALUATED_STRINGS);
    const evaluation = await evaluateAnswers(this.model, examples, runJobs);
    return { evaluation, text: describeAnswers(evaluation), answers: evaluation };
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

  bitsPerByte(): null {
    return null;
  }

  baselines(): ReturnType<TrainableKind["baselines"]> {
    return { guessNats: this.reference.value, frequencyNats: null, ngrams: null };
  }

  suggestions(folder: string): readonly string[] {
    const [{ source }] = this.#task.heldOut(1);
    return [
      `npx nopeek sample --model ${folder} --prompt ${this.#config.tokenizer.decode(source)}`,
      `npx nopeek eval --model ${folder}`,
    ];
  }
}
