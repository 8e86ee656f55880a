/** A run that trains on the page: the trainer of the command line, and a model whose mask can be switched. */
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import type { Settings } from "../../config/settings.ts";
import { estimateLoss } from "../../evaluate/loss.ts";
import { log } from "../../math.ts";
import { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import { Random } from "../../random.ts";
import { gptConfigOf, type RunConfig } from "../../run/config.ts";
import { defaultPrompt } from "../../run/default-prompt.ts";
import { generateText } from "../../sample/generate-text.ts";
import { EarlyStopping } from "../../train/early-stopping.ts";
import { NextToken } from "../../train/objectives/next-token.ts";
import { type StepReport, Trainer } from "../../train/trainer.ts";
import type { MaskMode } from "../masks.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import { checkLength, type PlayText } from "./text.ts";

/** Below 1, so that a small model spells mostly right. */
const TEMPERATURE = 0.6;
/** Takes about as long as a few steps of training. */
const ESTIMATE_TOKENS = 4096;

export class TrainingRun {
  readonly config: RunConfig;
  readonly text: PlayText;
  readonly model: MaskSwitchGPT;
  readonly trainer: Trainer<MaskSwitchGPT>;
  readonly earlyStopping: EarlyStopping;
  #mask: MaskMode = "on";
  #maskWasChanged = false;

  /**
   * @throws ConfigError if the sizes do not fit together
   * @throws DataError if the text is too short for a window
   */
  constructor(backend: Backend, settings: Settings, text: PlayText) {
    const { tokenizer, split, record } = text;
    checkLength(text, settings.contextLength);
    this.text = text;
    this.config = { settings, tokenizer, corpus: record };
    const shape = gptConfigOf(settings, tokenizer.vocabSize);
    const context = new Context(backend);
    try {
      this.model = new MaskSwitchGPT(context, shape, Random.of(settings.seed, "weights"));
      this.trainer = new Trainer(this.model, new NextToken(this.model, split.train, settings), settings);
    } catch (error) {
      // A model that does not fit leaves its memory to the run before it.
      context.close();
      throw error;
    }
    this.earlyStopping = new EarlyStopping();
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
    return this.trainer.stepsDone >= this.config.settings.steps;
  }

  /** The loss of a uniform guess, in nats per token. */
  get blindGuessNats(): number {
    return log(this.text.tokenizer.vocabSize);
  }

  /** @throws TrainingError as `Trainer.step` does */
  async step(): Promise<StepReport> {
    if (this.#mask !== "on") this.#maskWasChanged = true;
    const report = await this.trainer.step();
    this.earlyStopping.trained(report.lossNats);
    return report;
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
    const { config } = this;
    const options = {
      tokens,
      random: Random.of(config.settings.seed, "sample while training"),
      settings: { temperature: TEMPERATURE },
      overflow: "slide",
    } as const;
    const write = async () => {
      const { text: prompt, shown } = defaultPrompt(config);
      let written = shown;
      for await (const piece of generateText(this.model, config.tokenizer, prompt, options)) written += piece;
      return written;
    };
    return this.#withMask(mask, () => this.trainer.evaluating(write));
  }

  /** Frees the memory of the model and its optimizer. */
  close(): void {
    this.model.context.close();
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
