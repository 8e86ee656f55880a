/**
 * Training, one step at a time: whatever the objective asks of the model, the step is the same.
 *
 * A step's randomness comes from (seed, step) alone, so a run that was stopped goes on to the same bits.
 */

import type { Tensor } from "../autograd/tensor.ts";
import type { Settings } from "../config/settings.ts";
import { TrainingError } from "../errors.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { gradientNorm } from "../optim/adamw.ts";
import { SpikeDetector } from "../optim/gradient-spikes.ts";
import { Optimizer } from "../optim/optimizer.ts";
import { learningRateAt } from "../optim/schedule.ts";
import { WeightAverage } from "../optim/weight-average.ts";
import { Random } from "../random.ts";
import { formatShape } from "../shape.ts";
import { firstNonFinite } from "./nan-trace.ts";
import type { Objective, Trainable } from "./objectives/objective.ts";

/** What one step did. */
export interface StepReport {
  /** Updates made so far, this one included. */
  readonly step: number;
  /** Mean nats per token that the model was asked for, before the update. */
  readonly lossNats: number;
  readonly learningRate: number;
  /** The Euclidean norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
  /** Whether the update was left out, as a spike. */
  readonly skipped: boolean;
}

export class Trainer<Model extends Trainable = Trainable> {
  readonly model: Model;
  readonly settings: Settings;
  readonly #objective: Objective;
  readonly #optimizer: Optimizer;
  readonly #parameters: NamedTensors;
  /** null where the newest weights are evaluated. */
  readonly #average: WeightAverage | null;
  readonly #spikes = new SpikeDetector();
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
    const losses: number[] = [];
    for (let part = 0; part < gradAccumulation; part++) losses.push(await this.#addGradient(part));
    const lossNats = losses.reduce((sum, loss) => sum + loss, 0) / gradAccumulation;
    // The parts' gradients were added up; the step is along their mean.
    const norm = (await gradientNorm(this.#parameters)) / gradAccumulation;
    this.#checkFinite(losses, lossNats, norm);
    const skipped = this.#spikes.isSpike(norm, this.settings.skipSpikes);

    const clip = gradClip > 0 && norm > gradClip ? gradClip / norm : 1;
    const learningRate = learningRateAt(this.settings, this.#step);
    if (skipped) this.#clearGradients();
    else await this.#optimizer.step(this.#step + 1, learningRate, clip / gradAccumulation);
    this.#step += 1;
    this.#average?.add(this.#step);
    return { step: this.#step, lossNats, learningRate, gradientNorm: norm, skipped };
  }

  /** The passes of a step without its update: for timing. Nothing that the run computes depends on it. */
  async rehearse(): Promise<void> {
    await this.#addGradient(0);
    this.#clearGradients();
  }

  /**
   * The passes of the step that is next, op by op, without its update: says in words where the first number arises
   * that is not finite. For a step that has failed.
   */
  async explainNonFinite(): Promise<string> {
    for (const [name, parameter] of Object.entries(this.#parameters)) {
      if (!(await parameter.read()).every(Number.isFinite))
        return `the weights ${name} ${formatShape(parameter.shape)} hold numbers that are not finite: an earlier update made them`;
    }
    const { context } = this.model;
    for (let part = 0; part < this.settings.gradAccumulation; part++) {
      const found = await context.scope("grad", () =>
        firstNonFinite(context, () => context.backward(this.#loss(part))),
      );
      if (found === null) continue;
      this.#clearGradients();
      const { op, pass, shape, value, count, size } = found;
      const what = pass === "forward" ? "output" : "gradient to an input";
      return `the first op to make such a number is ${op} ${formatShape(shape)}, in the ${pass} pass of batch ${part + 1}: ${value}, one of ${count} among the ${size} numbers of its ${what}`;
    }
    this.#clearGradients();
    return "every number of the passes is finite: their sum over the batches, or the norm of the whole gradient, is beyond single precision";
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
  optimizerState(): NamedTensors {
    return { ...this.#optimizer.state(), ...this.#average?.state() };
  }

  /** What a checkpoint keeps beside the tensors, as JSON. */
  toJSON(): ReturnType<SpikeDetector["toJSON"]> {
    return this.#spikes.toJSON();
  }

  /** Goes on after `step` updates, with what `toJSON` gave; the model and the tensors of `optimizerState` must be filled as they were saved. */
  resumeAt(step: number, state: unknown = {}): void {
    this.#step = step;
    this.#spikes.restore(state);
    // What was saved as the model is what is kept; training goes on from what stands beside it.
    this.#average?.swap();
  }

  /** Adds the gradient of one batch to the parameters'; gives its loss. */
  #addGradient(part: number): Promise<number> {
    const { context } = this.model;
    return context.scope("grad", () => {
      const loss = this.#loss(part);
      context.backward(loss);
      return loss.item();
    });
  }

  #loss(part: number): Tensor {
    const { seed, dropout } = this.settings;
    const random = dropout === 0 ? null : Random.of(seed, "dropout", this.#step, part);
    return this.#objective.loss(this.#step, part, random);
  }

  #clearGradients(): void {
    for (const parameter of Object.values(this.#parameters)) parameter.storage.clearGradient();
  }

  #checkFinite(losses: readonly number[], lossNats: number, norm: number): void {
    if (Number.isFinite(lossNats) && Number.isFinite(norm)) return;
    this.#clearGradients();
    const part = Math.max(
      0,
      losses.findIndex((loss) => !Number.isFinite(loss)),
    );
    const which = losses.length === 1 ? "" : `batch ${part + 1} of ${losses.length}, `;
    throw new TrainingError(
      `training: step ${this.#step + 1} gave a loss of ${lossNats} and a gradient norm of ${norm}, on ${which}${this.#objective.batchInWords(this.#step, part)}; the weights are as they were before it. A lower learning rate (now ${this.settings.learningRate}), more warm-up steps or \`gradClip\` 1 usually helps`,
    );
  }
}
