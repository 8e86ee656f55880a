/** The engine of the page: a backend, the run in training, the shipped model, and the loop that trains. */
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import type { Settings } from "../../config/settings.ts";
import { CheckpointError } from "../../errors.ts";
import type { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import { countNumbers } from "../../nn/parameters.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { MaskMode } from "../masks.ts";
import type { EngineEvent, RunState, TrainedStep } from "../protocol.ts";
import type { GivenRun } from "./given-run.ts";
import { KeptRuns, type Shelf } from "./kept-runs.ts";
import type { ModelName } from "./model-names.ts";
import { Queue } from "./queue.ts";
import { loadShipped } from "./shipped-model.ts";
import { checkLength, type Fetch, fitToText, loadTales, type PlayText, textFor } from "./text.ts";
import { TrainingRun } from "./training-run.ts";

/** What sections look at: a model that can be run with each mask, and its tokenizer. */
export interface Viewed {
  readonly model: MaskSwitchGPT;
  readonly tokenizer: Tokenizer;
}

/** The page draws at most this often. */
const REPORT_MS = 50;
const SAMPLE_TOKENS = 160;
/** Samples in a run. Each takes about as long as ten steps. */
const SAMPLES = 20;

/** What the engine needs from its host. */
export interface Host {
  /** Fetches a file of the page by its path. */
  readonly fetch: Fetch;
  readonly emit: (event: EngineEvent) => void;
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Where runs are kept. */
  readonly shelf: Shelf;
  /** Lets the host handle its messages. */
  readonly pause: () => Promise<void>;
}

export class Engine {
  readonly backend: Backend;
  readonly host: Host;
  readonly queue = new Queue();
  readonly kept: KeptRuns;
  #run: TrainingRun | null = null;
  #mask: MaskMode = "on";
  #tales: Promise<PlayText> | null = null;
  /** A person's own text; null for the tales. */
  #own: PlayText | null = null;
  /** A run that a person brought in without its text; null if there is none. */
  waiting: GivenRun | null = null;
  #shipped: Promise<Viewed> | null = null;
  /** Counts the calls of `start` and `stop`: a loop ends when another call follows. */
  #turn = 0;
  #isTraining = false;

  constructor(backend: Backend, host: Host) {
    this.backend = backend;
    this.host = host;
    this.kept = new KeptRuns(this, host.shelf);
  }

  /** The run in training; null before the first. */
  get run(): TrainingRun | null {
    return this.#run;
  }

  get mask(): MaskMode {
    return this.#mask;
  }

  /** Sets the mask for the next steps of training. */
  set mask(mode: MaskMode) {
    this.#mask = mode;
    if (this.#run !== null) this.#run.mask = mode;
  }

  /** The tales, fetched once. */
  tales(): Promise<PlayText> {
    this.#tales ??= loadTales(this.host.fetch).catch((error) => {
      this.#tales = null;
      throw error;
    });
    return this.#tales;
  }

  /**
   * The model that a section looks at.
   *
   * @throws CheckpointError if no run has been opened
   */
  async viewed(name: ModelName): Promise<Viewed> {
    if (name === "training") {
      if (this.#run === null) throw new CheckpointError("no run is open yet: start one");
      return { model: this.#run.model, tokenizer: this.#run.text.tokenizer };
    }
    this.#shipped ??= loadShipped(new Context(this.backend), this.host.fetch).catch((error) => {
      this.#shipped = null;
      throw error;
    });
    return this.#shipped;
  }

  /** Opens a new run on the current text and closes the one before. Throws as `train` does. */
  async open(settings: Settings): Promise<RunState> {
    return this.train(settings, this.#own);
  }

  /**
   * Opens a new run on another text, which later runs are trained on too, and closes the one before.
   *
   * @param own a person's own text; null for the tales
   * @throws DataError if the text is too short; then the text and the run before stay
   */
  async train(settings: Settings, own: PlayText | null): Promise<RunState> {
    const text = own ?? (await this.tales());
    const run = TrainingRun.start(this.backend, fitToText(settings, text), text, this.host.now);
    this.#own = own;
    return this.adopt(run);
  }

  /**
   * Continues a run that a person brought in.
   *
   * @param original its text, as it was read
   * @throws DataError when the text is another one
   * @throws CheckpointError when its checkpoint does not fit its config; then the run before stays
   * @throws ConfigError when its evaluations cover other tokens than those here
   */
  resume({ config, directory, files, checkpoint }: GivenRun, original: PlayText): TrainingRun {
    const text = textFor(config, original);
    checkLength(text, config.settings.contextLength);
    const { now } = this.host;
    const run = new TrainingRun(this.backend, { config, text, directory, files, checkpoint, now });
    directory.resumeLog(run.trainer.stepsDone, config.settings.steps);
    this.#own = original.isOwn ? original : null;
    this.adopt(run);
    return run;
  }

  /** A person's own text; null for the tales. */
  get ownText(): PlayText | null {
    return this.#own;
  }

  /** Replaces the run in training by another one. */
  adopt(run: TrainingRun): RunState {
    this.stop();
    this.#run?.close();
    this.#run = run;
    run.mask = this.#mask;
    const state = this.state(run);
    this.waiting = null;
    this.host.emit({ kind: "opened", run: state, steps: run.trainedSteps() });
    return state;
  }

  /** Trains until `stop` or the last step. */
  start(): void {
    const run = this.#run;
    if (run === null || this.#isTraining || run.isDone) return;
    this.#isTraining = true;
    this.#turn += 1;
    void this.#train(run, this.#turn);
  }

  /** Stops after the step that is being made. */
  stop(): void {
    this.#turn += 1;
    this.#isTraining = false;
    if (this.#run !== null) this.#reportRun(this.#run);
  }

  /** Makes one step. */
  async stepOnce(): Promise<void> {
    this.stop();
    const run = this.#run;
    if (run === null || run.isDone) return;
    const start = this.host.now();
    const step = await this.#step(run);
    this.#reportSteps(run, [step], this.host.now() - start);
    this.#reportRun(run);
  }

  state(run: TrainingRun): RunState {
    const { config, trainer, text } = run;
    return {
      text: text.name,
      isOwnText: text.isOwn,
      characters: text.record.characters,
      contextLength: config.settings.contextLength,
      stepsDone: trainer.stepsDone,
      steps: config.settings.steps,
      isTraining: this.#isTraining,
      isDone: run.isDone,
      isPure: run.isPure,
      parameters: countNumbers(run.model.parameters()),
      vocabulary: text.tokenizer.vocabSize,
      floorNats: text.floorNats,
      blindGuessNats: run.blindGuessNats,
    };
  }

  async #train(run: TrainingRun, turn: number): Promise<void> {
    this.#reportRun(run);
    let [steps, reported]: [TrainedStep[], number] = [[], this.host.now()];
    try {
      while (turn === this.#turn && !run.isDone) {
        steps.push(await this.queue.run(() => this.#step(run)));
        const elapsed = this.host.now() - reported;
        if (elapsed >= REPORT_MS || run.isDone) {
          this.#reportSteps(run, steps, elapsed);
          [steps, reported] = [[], this.host.now()];
        }
        if (this.#isSampleDue(run)) {
          await this.queue.run(() => this.#sample(run));
          reported = this.host.now();
        }
        if (this.kept.isDue(run)) await this.queue.run(() => this.#keep(run));
        await this.host.pause();
      }
    } catch (error) {
      if (turn === this.#turn)
        this.host.emit({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
    if (steps.length > 0) this.#reportSteps(run, steps, this.host.now() - reported);
    await this.queue.run(() => this.#keep(run));
    if (turn !== this.#turn) return;
    this.#isTraining = false;
    this.#reportRun(run);
  }

  /** Keeps a run, unless another one has replaced it meanwhile. */
  async #keep(run: TrainingRun): Promise<void> {
    if (run === this.#run) await this.kept.keep(run);
  }

  async #step(run: TrainingRun): Promise<TrainedStep> {
    return run.step();
  }

  #isSampleDue({ trainer, config }: TrainingRun): boolean {
    const { stepsDone } = trainer;
    const { steps } = config.settings;
    return stepsDone === steps || stepsDone % Math.max(1, Math.ceil(steps / SAMPLES)) === 0;
  }

  async #sample(run: TrainingRun): Promise<void> {
    const { mask } = run;
    const text = await run.sample(mask, SAMPLE_TOKENS);
    const asTrainedNats = await run.validationNats(mask);
    const leftOnlyNats = mask === "on" ? asTrainedNats : await run.validationNats("on");
    const step = run.trainer.stepsDone;
    this.host.emit({ kind: "sample", sample: { step, mask, text, asTrainedNats, leftOnlyNats } });
  }

  #reportSteps(run: TrainingRun, steps: readonly TrainedStep[], elapsedMs: number): void {
    const tokensPerSecond = (1000 * steps.length * run.trainer.tokensPerStep) / Math.max(elapsedMs, 1);
    this.host.emit({ kind: "steps", steps, tokensPerSecond });
  }

  #reportRun(run: TrainingRun): void {
    this.host.emit({ kind: "run", run: this.state(run) });
  }
}
