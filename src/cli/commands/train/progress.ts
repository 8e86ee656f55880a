/** How the progress of a training run is shown: line by line here, or as a live display. */
import type { StepReport } from "../../../train/trainer.ts";
import { formatCount, formatDuration, formatLoss } from "../../../util/format.ts";
import type { Terminal } from "../../terminal/output.ts";

/** A step with its speed and the remaining time of the run. */
export interface StepProgress extends StepReport {
  readonly tokensPerSecond: number;
  readonly leftMs: number;
}

export interface Progress {
  /** Prints a line that stays. */
  note(line?: string): void;
  /** The first step follows. */
  begin(): void;
  stepped(step: StepProgress): void;
  evaluated(step: number, lossNats: number): void;
  /** Shows what takes a while; null when it is done. */
  busy(activity: string | null): void;
  /** Shows a sample of the model after `step` updates. */
  sampled(step: number, text: string): void;
  /** No step follows. Later lines appear below the display. */
  end(): void;
}

/** Prints a line for every step, or for every few. */
export class PlainProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #steps: number;
  readonly #every: number;

  constructor(terminal: Terminal, steps: number, every = 1) {
    this.#terminal = terminal;
    this.#steps = steps;
    this.#every = every;
  }

  note(line?: string): void {
    this.#terminal.note(line);
  }

  stepped({ step, lossNats, tokensPerSecond, leftMs }: StepProgress): void {
    if (step % this.#every !== 0 && step !== this.#steps) return;
    this.note(
      `step ${step}/${this.#steps}  loss ${formatLoss(lossNats)}  ${formatCount(tokensPerSecond)} tokens/s  ${formatDuration(leftMs)} left`,
    );
  }

  begin(): void {}
  evaluated(): void {}
  busy(): void {}
  sampled(): void {}
  end(): void {}
}
