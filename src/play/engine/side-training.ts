/** Trains a model of section 7 beside the run, one step at a time, so that other questions are answered between. */
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Trainable } from "../../train/objectives/objective.ts";
import type { Trainer } from "../../train/trainer.ts";
import type { Measured, SideName, SideState } from "../protocol.ts";
import type { Engine } from "./engine.ts";

/** The page draws at most this often. */
const REPORT_MS = 100;
/** Measurements in a training. Each takes about as long as three steps. */
const MEASUREMENTS = 16;

/** A model, how it is trained, and how well it does. */
export interface SideModel<Model extends Trainable = Trainable> {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly trainer: Trainer;
  /** Makes a step of training with the mask of the switch. */
  readonly step: () => Promise<number>;
  readonly measure: () => Promise<Measured>;
}

export class SideTraining<Model extends SideModel> {
  readonly #name: SideName;
  readonly #open: () => Promise<Model>;
  readonly #engine: Engine;
  #opened: Promise<Model> | null = null;
  #measured: readonly Measured[] = [];
  #lossNats: number | null = null;
  #secondsLeft: number | null = null;
  /** Counts the calls of `start` and `stop`: a loop ends when another call follows. */
  #turn = 0;
  #isTraining = false;

  constructor(name: SideName, engine: Engine, open: () => Promise<Model>) {
    this.#name = name;
    this.#engine = engine;
    this.#open = open;
  }

  /** The model, with random weights before it is trained. */
  opened(): Promise<Model> {
    this.#opened ??= this.#open().catch((error) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  /** Trains until `stop` or the last step; a model that is done starts over. */
  async start(): Promise<void> {
    if (this.#isTraining) return;
    const { trainer, model } = await this.opened();
    if (trainer.stepsDone === trainer.settings.steps) {
      model.context.close();
      [this.#opened, this.#measured, this.#lossNats] = [null, [], null];
    }
    this.#isTraining = true;
    this.#turn += 1;
    void this.#train(await this.opened(), this.#turn);
  }

  /** Stops after the step that is being made. */
  async stop(): Promise<void> {
    this.#turn += 1;
    this.#isTraining = false;
    this.#report(await this.opened());
  }

  state({ trainer }: Model): SideState {
    return {
      stepsDone: trainer.stepsDone,
      steps: trainer.settings.steps,
      isTraining: this.#isTraining,
      lossNats: this.#lossNats,
      secondsLeft: this.#isTraining ? this.#secondsLeft : null,
      measured: this.#measured,
    };
  }

  async #train(opened: Model, turn: number): Promise<void> {
    const { queue, host } = this.#engine;
    const { trainer } = opened;
    const { steps } = trainer.settings;
    const begin = { ms: host.now(), step: trainer.stepsDone };
    let reported = begin.ms;
    try {
      while (turn === this.#turn && trainer.stepsDone < steps) {
        this.#lossNats = await queue.run(opened.step);
        const { stepsDone } = trainer;
        const isMeasured = stepsDone === steps || stepsDone % Math.ceil(steps / MEASUREMENTS) === 0;
        if (isMeasured) this.#measured = [...this.#measured, await queue.run(opened.measure)];
        const now = host.now();
        const msPerStep = (now - begin.ms) / (stepsDone - begin.step);
        this.#secondsLeft = ((steps - stepsDone) * msPerStep) / 1000;
        if (isMeasured || now - reported >= REPORT_MS) {
          reported = now;
          this.#report(opened);
        }
        await host.pause();
      }
    } catch (error) {
      if (turn === this.#turn)
        host.emit({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
    if (turn !== this.#turn) return;
    this.#isTraining = false;
    this.#report(opened);
  }

  #report(opened: Model): void {
    this.#engine.host.emit({ kind: "side", name: this.#name, state: this.state(opened) });
  }
}
