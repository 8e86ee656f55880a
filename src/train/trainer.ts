/**
 * Training, one step at a time: whatever the objective asks of the model, the step is the same.
 *
 * A step's randomness comes from (seed, step) alone, so a run that was stopped goes on to the same bits.
 */
import { TrainingError } from "../errors.ts";
import type { Parameters } from "../nn/parameters.ts";
import { Random } from "../random.ts";
import { gradientNorm } from "./adamw.ts";
import type { Objective, Trainable } from "./objectives/objective.ts";
import { Optimizer } from "./optimizer.ts";
import { learningRateAt } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { WeightAverage } from "./weight-average.ts";

/** What one step did. */
export interface StepReport {
  /** Updates made so far, this one included. */
  readonly step: number;
  /** Mean nats per token that the model was asked for, before the update. */
  readonly lossNats: number;
  readonly learningRate: number;
  /** The Euclidean norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
}

export class Trainer<Model extends Trainable = Trainable> {
  readonly model: Model;
  readonly settings: Settings;
  readonly #objective: Objective;
  readonly #optimizer: Optimizer;
  readonly #parameters: Parameters;
  /** null where the newest weights are evaluated. */
  readonly #average: WeightAverage | null;
  #step = 0;

  constructor(model: Model, objective: Objective, settings: Settings) {
    this.model = model;
    this.settings = settings;
    this.#objective = objective;
    this.#parameters = model.parameters();
    this.#optimizer = new Optimizer(this.#parameters, settings);
    this.#average =
      settings.averageSteps > 0 ? new WeightAverage(this.#parameters, settings.averageSteps) : null;
  }

  /** Updates made so far. */
  get stepsDone(): number {
    return this.#step;
  }

  /** Tokens that one step shows to the model. */
  get tokensPerStep(): number {
    return this.#objective.tokensPerBatch * this.settings.gradAccumulation;
  }

  /**
   * One update: forward and backward over each batch, clip, optimize.
   *
   * @throws TrainingError when the loss or the gradient is not finite; nothing has been updated then
   */
  async step(): Promise<StepReport> {
    const { gradAccumulation, gradClip } = this.settings;
    let sum = 0;
    for (let part = 0; part < gradAccumulation; part++) sum += await this.#addGradient(part);
    const lossNats = sum / gradAccumulation;
    // The parts' gradients were added up; the step is along their mean.
    const norm = (await gradientNorm(this.#parameters)) / gradAccumulation;
    this.#checkFinite(lossNats, norm);

    const clip = gradClip > 0 && norm > gradClip ? gradClip / norm : 1;
    const learningRate = learningRateAt(this.settings, this.#step);
    await this.#optimizer.step(this.#step + 1, learningRate, clip / gradAccumulation);
    this.#step += 1;
    this.#average?.add(this.#step);
    return { step: this.#step, lossNats, learningRate, gradientNorm: norm };
  }

  /** The passes of a step without its update: for timing. Nothing that the run computes depends on it. */
  async rehearse(): Promise<void> {
    await this.#addGradient(0);
    for (const parameter of Object.values(this.#parameters)) parameter.storage.clearGradient();
  }

  /**
   * Runs `body` while the model holds the weights that are to be evaluated and kept: with `averageSteps` their
   * average, else the newest. Everything that looks at the model or saves it belongs in here.
   */
  async evaluating<T>(body: () => Promise<T>): Promise<T> {
    this.#average?.swap();
    try {
      return await body();
    } finally {
      this.#average?.swap();
    }
  }

  /** What a checkpoint keeps beside the model, by name; to be read while `evaluating`. */
  optimizerState(): Parameters {
    return { ...this.#optimizer.state(), ...this.#average?.state() };
  }

  /** Goes on after `step` updates; the model and the tensors of `optimizerState` must be filled as they were saved. */
  resumeAt(step: number): void {
    this.#step = step;
    // What was saved as the model is what is kept; training goes on from what stands beside it.
    this.#average?.swap();
  }

  /** Adds the gradient of one batch to the parameters'; gives its loss. */
  #addGradient(part: number): Promise<number> {
    const { context } = this.model;
    const random = Random.of(this.settings.seed, "dropout", this.#step, part);
    return context.scope("record", () => {
      const loss = this.#objective.loss(this.#step, part, random);
      context.backward(loss);
      return loss.item();
    });
  }

  #checkFinite(lossNats: number, norm: number): void {
    if (Number.isFinite(lossNats) && Number.isFinite(norm)) return;
    throw new TrainingError(
      `training: step ${this.#step + 1} gave a loss of ${lossNats} and a gradient norm of ${norm}; the weights are as they were before it. A lower learning rate (now ${this.settings.learningRate}), more warm-up steps or --grad-clip 1 usually helps`,
    );
  }
}
