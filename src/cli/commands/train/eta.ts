/** The speed of a training run and its remaining time. */
import { median } from "../../../util/format.ts";

/** Number of recent steps whose median counts. */
const RECENT = 50;

export class StepTimer {
  #stepMs: readonly number[];
  #steps = 0;
  #otherMs = 0;

  /** @param stepMs estimated time of a step, used until the first step is done */
  constructor(stepMs: number) {
    this.#stepMs = [stepMs];
  }

  /** Records the time of a step. */
  stepped(ms: number): void {
    this.#stepMs = [...(this.#steps === 0 ? [] : this.#stepMs.slice(1 - RECENT)), ms];
    this.#steps += 1;
  }

  /** Records time between steps: evaluations and checkpoints. */
  paused(ms: number): void {
    this.#otherMs += ms;
  }

  /** Time of a typical step. */
  get stepMs(): number {
    return median(this.#stepMs);
  }

  /** Estimated time of `steps` more steps, evaluations and checkpoints included. */
  leftMs(steps: number): number {
    return steps * (this.stepMs + this.#otherMs / Math.max(1, this.#steps));
  }
}

/** What a run has to do, and how long it takes this process. */
export interface Work {
  /** Time of this process in a step, of which it computes some parts. */
  readonly stepMs: number;
  /** Time of training on one token. */
  readonly tokenMs: number;
  /** Tokens of an evaluation, and steps from one to the next. One process makes them. */
  readonly evaluations: readonly { readonly every: number; readonly tokens: number }[];
}

/** Estimated time of `steps` steps, with evaluations and without messages between processes. */
export function estimateMs({ stepMs, tokenMs, evaluations }: Work, steps: number): number {
  const tokens = evaluations.reduce((sum, { every, tokens }) => sum + Math.ceil(steps / every) * tokens, 0);
  // A forward pass alone is about a third of a step's work.
  return steps * stepMs + (tokens * tokenMs) / 3;
}
