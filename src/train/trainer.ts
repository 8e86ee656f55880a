/**
 * Training, one step at a time. The step is the same for every objective.
 *
 * The randomness of a step depends on (seed, step) alone, so a resumed run is bit-identical to an uninterrupted one.
 */

import type { Tensor } from "../autograd/tensor.ts";
import type { EarlierSchedule } from "../config/schedule-settings.ts";
import type { Settings } from "../config/settings.ts";
import type { DataParallel } from "../distributed/data-parallel.ts";
import { TrainingError } from "../errors.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { scale } from "../ops/scale.ts";
import { normOf, squaresOf } from "../optim/adamw.ts";
import { SpikeDetector } from "../optim/gradient-spikes.ts";
import { Optimizer } from "../optim/optimizer.ts";
import { learningRatesAt } from "../optim/schedule.ts";
import { WeightAverage } from "../optim/weight-average.ts";
import { Random } from "../random.ts";
import { formatShape } from "../shape.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import { GradientSum } from "./gradient-sum.ts";
import { firstNonFinite } from "./nan-trace.ts";
import type { Objective, Trainable } from "./objectives/objective.ts";

/** The result of one step. */
export interface StepReport {
  /** Number of updates made, including this one. */
  readonly step: number;
  /** Mean loss in nats per target token, before the update. */
  readonly lossNats: number;
  readonly learningRate: number;
  /** Euclidean norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
  /** Whether the update was skipped because of a gradient spike. */
  readonly skipped: boolean;
}

const trainerTypes = { model: ["parameters"], objective: ["loss"], settings: "object" } as const;

export class Trainer<Model extends Trainable = Trainable> {
  readonly model: Model;
  readonly settings: Settings;
  readonly #earlier: readonly EarlierSchedule[];
  readonly #objective: Objective;
  readonly #optimizer: Optimizer;
  readonly #parameters: NamedTensors;
  /** The parameters that this process updates: all, unless several processes share them out. */
  readonly #updated: NamedTensors;
  /** Adds the gradients of the batches of a step. */
  readonly #gradient: GradientSum;
  /** null if the latest weights are evaluated, not an average. */
  readonly #average: WeightAverage | null;
  /** null if one process computes all batches. */
  readonly #ranks: DataParallel | null;
  readonly #spikes = new SpikeDetector();
  #step = 0;

  /**
   * @param earlier the schedules before that of `settings`, if the run was resumed with another
   * @param ranks   the processes that share the batches of a step; null if this one computes all
   */
  constructor(
    model: Model,
    objective: Objective,
    settings: Settings,
    earlier: readonly EarlierSchedule[] = [],
    ranks: DataParallel | null = null,
  ) {
    checkTypes("Trainer", { model, objective, settings }, trainerTypes);
    checkChoice("optimizer", settings.optimizer, ["adamw", "muon"]);
    checkChoice("schedule", settings.schedule, ["cosine", "linear", "constant", "trapezoid"]);
    this.model = model;
    this.settings = settings;
    this.#earlier = earlier;
    this.#ranks = ranks;
    this.#objective = objective;
    this.#parameters = model.parameters();
    this.#gradient = new GradientSum(this.#parameters);
    this.#updated = ranks?.updatedHere(this.#parameters) ?? this.#parameters;
    this.#optimizer = new Optimizer(this.#updated, settings);
    this.#average =
      settings.averageSteps > 0 ? new WeightAverage(this.#parameters, settings.averageSteps) : null;
  }

  /** Number of updates made. */
  get stepsDone(): number {
    return this.#step;
  }

  /** Number of tokens that the model reads in one step. */
  get tokensPerStep(): number {
    return this.#objective.tokensPerBatch * this.settings.gradAccumulation;
  }

  /**
   * Makes one update: forward and backward pass over each batch, gradient clipping, optimizer step.
   *
   * @throws TrainingError when the loss or the gradient is not finite; the weights are unchanged then
   */
  async step(): Promise<StepReport> {
    const { gradAccumulation, gradClip } = this.settings;
    const losses = await this.#computeGradient();
    const lossNats = losses.reduce((sum, loss) => sum + loss, 0) / gradAccumulation;
    // The batches' gradients were summed; the step follows their mean.
    const squares = await squaresOf(this.#updated);
    const norm = normOf((await this.#ranks?.gatherNumbers(squares)) ?? squares) / gradAccumulation;
    this.#checkFinite(losses, lossNats, norm);
    const skipped = this.#spikes.isSpike(norm, this.settings.skipSpikes);

    const clip = gradClip > 0 && norm > gradClip ? gradClip / norm : 1;
    const rates = learningRatesAt(this.settings, this.#earlier, this.#step);
    if (skipped) this.#gradient.clear();
    else await this.#optimizer.step(this.#step + 1, rates, clip / gradAccumulation);
    await this.#ranks?.gatherParameters();
    this.#step += 1;
    this.#average?.add(this.#step);
    return { step: this.#step, lossNats, learningRate: rates.learningRate, gradientNorm: norm, skipped };
  }

  /** Runs the passes of the next step's first batch and returns its loss. It does not affect the run. */
  async rehearse(): Promise<number> {
    this.#gradient.clear();
    const lossNats = await this.#passes(0, 1);
    this.#gradient.clear();
    return lossNats;
  }

  /**
   * Repeats the passes of a failed step and describes where the first number that is not finite arises. It makes no
   * update.
   */
  async explainNonFinite(): Promise<string> {
    for (const [name, parameter] of Object.entries(this.#parameters)) {
      if (!(await parameter.read()).every(Number.isFinite))
        return `the weights ${name} ${formatShape(parameter.shape)} hold numbers that are not finite: an earlier update produced them`;
    }
    const { context } = this.model;
    for (const [part, weight] of this.#weights().entries()) {
      const found = await context.scope("grad", () =>
        firstNonFinite(context, () => context.backward(this.#loss(part, weight))),
      );
      if (found === null) continue;
      this.#gradient.clear();
      const { op, pass, shape, value, count, size } = found;
      const what = pass === "forward" ? "output" : "gradient to an input";
      return `the first op to produce such a number is ${op} ${formatShape(shape)}, in the ${pass} pass of batch ${part + 1}: ${value}, one of ${count} among the ${size} numbers of its ${what}`;
    }
    this.#gradient.clear();
    return "every number of the passes is finite: their sum over the batches, or the norm of the whole gradient, exceeds single precision";
  }

  /**
   * Runs `body` while the model holds the weights to evaluate and save: with `averageSteps` their average, else the
   * latest. Evaluate, sample and save only inside it.
   */
  async evaluating<T>(body: () => Promise<T>): Promise<T> {
    this.#average?.swap();
    try {
      return await body();
    } finally {
      this.#average?.swap();
    }
  }

  /** The tensors that a checkpoint stores in addition to the model. Read them while `evaluating`. */
  optimizerState(): NamedTensors {
    return { ...this.#optimizer.state(), ...this.#average?.state() };
  }

  /** The rest of the state that a checkpoint stores, as JSON. */
  toJSON(): ReturnType<SpikeDetector["toJSON"]> {
    return this.#spikes.toJSON();
  }

  /**
   * Resumes after `step` updates.
   *
   * The model and the tensors of `optimizerState` must hold their saved values.
   *
   * @param state what `toJSON` returned
   */
  resumeAt(step: number, state: unknown = {}): void {
    this.#step = step;
    this.#spikes.restore(state);
    // The saved model is the average; training continues from the weights saved beside it.
    this.#average?.swap();
  }

  /** The weight of each batch in the mean over all targets of the step: 1 if all batches have as many. */
  #weights(): number[] {
    const { gradAccumulation } = this.settings;
    // One batch needs no weight, so its targets need not be counted.
    if (gradAccumulation === 1) return [1];
    const counts = Array.from({ length: gradAccumulation }, (_, part) =>
      this.#objective.targetCount(this.#step, part),
    );
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (count * gradAccumulation) / Math.max(total, 1));
  }

  /** Computes the sum of all batches' gradients. Returns their weighted losses. */
  async #computeGradient(): Promise<number[]> {
    // A step that ended between its batches has left the gradients of some.
    this.#gradient.clear();
    const weights = this.#weights();
    const losses: number[] = [];
    for (const part of this.#ranks?.ownParts() ?? weights.keys()) {
      losses.push(await this.#passes(part, weights[part]));
      this.#gradient.addPart();
    }
    this.#gradient.finish();
    return this.#ranks?.share(losses, Object.values(this.#parameters)) ?? losses;
  }

  /** Computes the gradient of one batch's weighted loss. Returns that loss. */
  #passes(part: number, weight: number): Promise<number> {
    const { context } = this.model;
    return context.scope("grad", () => {
      const loss = this.#loss(part, weight);
      context.backward(loss);
      return loss.item();
    });
  }

  #loss(part: number, weight: number): Tensor {
    const { seed, dropout } = this.settings;
    const random = dropout === 0 ? null : Random.of(seed, "dropout", this.#step, part);
    return scale(this.#objective.loss(this.#step, part, random), weight);
  }

  #checkFinite(losses: readonly number[], lossNats: number, norm: number): void {
    if (Number.isFinite(lossNats) && Number.isFinite(norm)) return;
    this.#gradient.clear();
    const part = Math.max(
      0,
      losses.findIndex((loss) => !Number.isFinite(loss)),
    );
    const which = losses.length === 1 ? "" : `batch ${part + 1} of ${losses.length}, `;
    throw new TrainingError(
      `training: step ${this.#step + 1} gave a loss of ${lossNats} and a gradient norm of ${norm}, on ${which}${this.#objective.describeBatch(this.#step, part)}; the weights are unchanged. A lower learning rate (now ${this.settings.learningRate}), more warm-up steps or \`gradClip\` 1 usually helps`,
    );
  }
}
