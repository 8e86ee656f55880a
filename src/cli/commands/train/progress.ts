/** Who tells people how a training goes: line by line, or, where they watch, by a picture that is drawn again and again. */
import type { StepReport } from "../../../train/trainer.ts";
import { formatCount, formatDuration, formatLoss } from "../../../util/format.ts";
import type { Terminal } from "../../terminal/output.ts";

/** A step as it is told: with how fast it goes, and how long it still goes on. */
export interface ToldStep extends StepReport {
  readonly tokensPerSecond: number;
  readonly leftMs: number;
}

export interface Progress {
  /** A line that stays. */
  note(line?: string): void;
  /** The first step is next. */
  begin(): void;
  stepped(step: ToldStep): void;
  evaluated(step: number, lossNats: number): void;
  /** Says what takes a while now; null when it is done. */
  busy(words: string | null): void;
  /** What the model makes after so many steps. */
  sampled(step: number, text: string): void;
  /** No step follows. Lines that come later stand below. */
  end(): void;
}

/** A line for every step, or every few. */
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

  stepped({ step, lossNats, tokensPerSecond, leftMs }: ToldStep): void {
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
