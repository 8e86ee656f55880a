/** How the progress of a training run is shown: line by line here, or as a live display. */
import type { StepReport } from "../../../train/trainer.ts";
import { formatCount, formatDuration, formatLoss } from "../../../util/format.ts";

/** A step with its speed and the remaining time of the run. */
export interface StepProgress extends StepReport {
  readonly tokensPerSecond: number;
  readonly leftMs: number;
}

export interface Progress {
  /** Prints a line that stays. */
  note(line?: string): void;
  /** Prints a line that stays in a log, and that a display has no room for. */
  detail(line: string): void;
  /** The first step follows. */
  begin(): void;
  stepped(step: StepProgress): void;
  evaluated(step: number, lossNats: number, kind: "evaluation" | "estimate"): void;
  /** Shows what takes a while; null when it is done. */
  busy(activity: string | null): void;
  /** Shows a sample of the model after `step` updates. */
  sampled(step: number, text: string): void;
  /** No step follows. Later lines appear below the display. */
  end(): void;
}

/** A log gets a line for this share of the steps, or after this time. */
const SHARE_OF_STEPS = 1 / 50;
const LONGEST_MS = 10_000;

/** "1 min 12 s left" */
export function timeLeft(leftMs: number): string {
  return leftMs === 0 ? "done" : `${formatDuration(leftMs)} left`;
}

interface NotePrinter {
  note(line?: string): void;
}

/** Prints a line for every few steps. */
export class PlainProgress implements Progress {
  readonly #terminal: NotePrinter;
  readonly #steps: number;
  readonly #every: number | null;
  readonly #now: () => number;
  #printedMs: number;

  /** @param every number of steps from one line to the next; null for one in fifty, or every ten seconds */
  constructor(terminal: NotePrinter, steps: number, every: number | null, now: () => number) {
    this.#terminal = terminal;
    this.#steps = steps;
    this.#every = every;
    this.#now = now;
    this.#printedMs = now();
  }

  note(line?: string): void {
    this.#terminal.note(line);
  }

  detail(line: string): void {
    this.note(line);
  }

  stepped({ step, lossNats, tokensPerSecond, leftMs }: StepProgress): void {
    if (!this.#isDue(step)) return;
    this.#printedMs = this.#now();
    this.note(
      `step ${step}/${this.#steps}  loss ${formatLoss(lossNats)}  ${formatCount(tokensPerSecond)} tokens/s  ${timeLeft(leftMs)}`,
    );
  }

  #isDue(step: number): boolean {
    const every = this.#every ?? Math.ceil(SHARE_OF_STEPS * this.#steps);
    if (step % every === 0 || step === this.#steps) return true;
    return this.#every === null && this.#now() - this.#printedMs >= LONGEST_MS;
  }

  begin(): void {}
  evaluated(): void {}
  busy(): void {}
  sampled(): void {}
  end(): void {}
}
