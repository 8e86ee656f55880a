/** A run that trains on the page: the trainer of the command line, and a model whose mask can be switched. */
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import { computedBy } from "../../backend/names.ts";
import type { Settings } from "../../config/settings.ts";
import { ConfigError, TrainingError } from "../../errors.ts";
import { estimateLoss, evaluateSplit, type Range } from "../../evaluate/loss.ts";
import { measuredSet } from "../../evaluate/measured-set.ts";
import { log } from "../../math.ts";
import { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import { Random } from "../../random.ts";
import type { Checkpoint } from "../../run/checkpoint.ts";
import { gptConfigOf, type RunConfig, runConfigToJSON } from "../../run/config.ts";
import { RunDirectory } from "../../run/directory.ts";
import { MemoryFiles } from "../../run/memory-files.ts";
import { earlierSchedules } from "../../run/settings-history.ts";
import type { EarlyStopping } from "../../train/early-stopping.ts";
import { NextToken } from "../../train/objectives/next-token.ts";
import { dueAfter, resumeFrom, savedStateOf, saveRun } from "../../train/saved-state.ts";
import { Trainer } from "../../train/trainer.ts";
import type { MaskMode } from "../masks.ts";
import type { TrainedStep } from "../protocol.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import { filesUnder, maskOf, noteOn, stepsIn } from "./run-log.ts";
import { checkLength, type PlayText } from "./text.ts";

/** Takes about as long as a few steps of training. */
const ESTIMATE_TOKENS = 4096;
/** The folder of a run that was started here. */
const FOLDER = "run";

/** What a run consists of besides its model. */
export interface RunParts {
  readonly config: RunConfig;
  readonly text: PlayText;
  readonly directory: RunDirectory;
  readonly files: MemoryFiles;
  /** Where to continue; null to start. */
  readonly checkpoint: (Checkpoint & { readonly name: string }) | null;
  /** The time in milliseconds. */
  readonly now: () => number;
}

export class TrainingRun {
  readonly config: RunConfig;
  readonly text: PlayText;
  readonly model: MaskSwitchGPT;
  readonly trainer: Trainer<MaskSwitchGPT>;
  readonly earlyStopping: EarlyStopping;
  readonly #directory: RunDirectory;
  readonly #files: MemoryFiles;
  readonly #now: () => number;
  readonly #covers: string;
  #evaluationDue: boolean;
  #mask: MaskMode = "on";
  #maskWasChanged: boolean;

  /**
   * @throws CheckpointError when the checkpoint does not fit the config
   * @throws ConfigError when its evaluations covered other tokens
   */
  constructor(backend: Backend, { config, text, directory, files, checkpoint, now }: RunParts) {
    const { settings, tokenizer } = config;
    this.config = config;
    this.text = text;
    this.#directory = directory;
    this.#files = files;
    this.#now = now;
    const { covers, earlyStopping, evaluationDue } = savedStateOf(checkpoint);
    this.earlyStopping = earlyStopping;
    this.#evaluationDue = evaluationDue;
    const own = measuredSet(text.record.sha256, this.#heldOut, settings);
    this.#covers = covers ?? own;
    if (settings.patience > 0 && this.#covers !== own)
      throw new ConfigError(
        "the evaluations of this run, which decide when it ends, covered other tokens: resume it once with the command line",
      );
    this.#maskWasChanged = this.trainedSteps().some(({ mask }) => mask !== "on");
    const context = new Context(backend);
    try {
      const shape = gptConfigOf(settings, tokenizer.vocabSize);
      this.model = new MaskSwitchGPT(context, shape, Random.of(settings.seed, "weights"));
      const objective = new NextToken(this.model, text.split.train, settings);
      this.trainer = new Trainer(this.model, objective, settings, earlierSchedules(config));
      if (checkpoint !== null) resumeFrom(checkpoint, this.trainer, directory.path);
    } catch (error) {
      // A model that does not fit leaves its memory to the run before it.
      context.close();
      throw error;
    }
  }

  /**
   * A new run.
   *
   * @throws ConfigError if the sizes do not fit together
   * @throws DataError if the text is too short for a window
   */
  static start(backend: Backend, settings: Settings, text: PlayText, now: () => number): TrainingRun {
    checkLength(text, settings.contextLength);
    const config = { settings, tokenizer: text.tokenizer, corpus: text.record };
    const files = new MemoryFiles();
    const directory = RunDirectory.create(FOLDER, runConfigToJSON(config), { files, keep: 1 });
    return new TrainingRun(backend, { config, text, directory, files, checkpoint: null, now });
  }

  get mask(): MaskMode {
    return this.#mask;
  }

  set mask(mode: MaskMode) {
    this.#mask = mode;
    this.model.maskMatrix = maskMatrixOf(mode);
  }

  /** Whether a step was made without the causal mask, which no command line repeats. */
  get isPure(): boolean {
    return !this.#maskWasChanged;
  }

  get isDone(): boolean {
    const { steps, patience } = this.config.settings;
    return this.trainer.stepsDone >= steps || this.earlyStopping.isExhausted(patience);
  }

  /** The loss of a uniform guess, in nats per token. */
  get blindGuessNats(): number {
    return log(this.text.tokenizer.vocabSize);
  }

  get #heldOut(): Range {
    return { start: this.text.split.boundary, end: this.text.ids.length };
  }

  /** The steps so far, also those that were made elsewhere, as far as the log has them. */
  trainedSteps(): TrainedStep[] {
    return stepsIn(this.#directory.logEntries());
  }

  /**
   * Makes a step, and the evaluation after it if the end of the run depends on it.
   *
   * @throws TrainingError as `Trainer.step` does
   */
  async step(): Promise<TrainedStep> {
    if (this.#evaluationDue) await this.#evaluateIfNeeded();
    const mask = this.#mask;
    if (mask !== "on") this.#maskWasChanged = true;
    const start = this.#now();
    const { skipped, ...numbers } = await this.trainer.step();
    const elapsedMs = this.#now() - start;
    const entry = { kind: "step", ...numbers, ...(skipped && { skipped }), elapsedMs, ...maskOf(mask) };
    this.#directory.appendLog(entry);
    this.earlyStopping.trained(numbers.lossNats);
    this.#evaluationDue = dueAfter(numbers.step, this.config.settings).evaluates;
    await this.#evaluateIfNeeded();
    return { step: numbers.step, lossNats: numbers.lossNats, mask };
  }

  /** Estimates the validation loss with a mask, in nats per token, always on the same windows. */
  async validationNats(mask: MaskMode): Promise<number> {
    const { batchSize, contextLength, seed } = this.config.settings;
    const batches = Math.max(1, Math.round(ESTIMATE_TOKENS / (batchSize * contextLength)));
    const options = { batches, batchSize, seed };
    const estimate = () =>
      this.trainer.evaluating(() => estimateLoss(this.model, this.text.split.validation, options));
    return (await this.#withMask(mask, estimate)).lossNats;
  }

  /** Writes a text with a mask, from the start of a line. */
  async sample(mask: MaskMode, tokens: number): Promise<string> {
    // The first sample comes some seconds after training starts, so what draws it is loaded then.
    const { writeSample } = await import("./write-sample.ts");
    const write = () => writeSample(this.model, this.config, tokens);
    return this.#withMask(mask, () => this.trainer.evaluating(write));
  }

  /**
   * Saves a checkpoint of the current step, as a stopped command line does.
   *
   * @returns the files of the run, by their paths in its folder
   * @throws TrainingError for weights whose loss is not finite
   */
  async save(): Promise<Map<string, Uint8Array>> {
    const { trainer } = this;
    const lossNats = await this.#withMask("on", () => trainer.evaluating(() => trainer.rehearse()));
    if (!Number.isFinite(lossNats))
      throw new TrainingError(`after step ${trainer.stepsDone} the loss is ${lossNats}: nothing was saved`);
    await this.#save();
    const files = filesUnder(this.#files, this.#directory.path);
    if (!this.isPure) files.set("NOTE.txt", new TextEncoder().encode(noteOn(this.trainedSteps())));
    return files;
  }

  /** Frees the memory of the model and its optimizer. */
  close(): void {
    this.model.context.close();
  }

  /**
   * With `patience`, evaluations decide when the run ends: they are made as on the command line. Without it, they are
   * left to the command line, because they take longer than many steps.
   */
  async #evaluateIfNeeded(): Promise<void> {
    const { trainer, earlyStopping, config } = this;
    const { patience, measureTokens } = config.settings;
    if (patience === 0 || !this.#evaluationDue) return;
    const step = trainer.stepsDone;
    const evaluate = () => evaluateSplit(this.model, this.text.ids, this.#heldOut, measureTokens);
    const evaluation = await this.#withMask("on", () => trainer.evaluating(evaluate));
    this.#evaluationDue = false;
    this.#directory.appendLog({ kind: "evaluation", step, split: "val", ...evaluation });
    const isBest = earlyStopping.evaluated(step, evaluation.lossNats);
    if (isBest || dueAfter(step, config.settings).saves || earlyStopping.isExhausted(patience))
      await this.#save();
  }

  #save(): Promise<void> {
    const { trainer, earlyStopping } = this;
    return saveRun({
      trainer,
      ranks: null,
      earlyStopping,
      directory: this.#directory,
      computedBy: computedBy(this.model.context.backend),
      covers: this.#covers,
      evaluationDue: this.#evaluationDue,
    });
  }

  async #withMask<T>(mask: MaskMode, body: () => Promise<T>): Promise<T> {
    const before = this.#mask;
    this.mask = mask;
    try {
      return await body();
    } finally {
      this.mask = before;
    }
  }
}
