/** How fast a training goes, and how long it will take. */
import { median } from "../../../util/format.ts";

/** Of so many steps the typical one counts. */
const RECENT = 50;

export class StepTimer {
  #stepMs: readonly number[];
  #steps = 0;
  #otherMs = 0;

  /** @param stepMs what a step takes, before the first was made */
  constructor(stepMs: number) {
    this.#stepMs = [stepMs];
  }

  stepped(ms: number): void {
    this.#stepMs = [...(this.#steps === 0 ? [] : this.#stepMs.slice(1 - RECENT)), ms];
    this.#steps += 1;
  }

  /** Time for what stands between steps: evaluations, checkpoints. */
  paused(ms: number): void {
    this.#otherMs += ms;
  }

  /** Of a typical step. */
  get stepMs(): number {
    return median(this.#stepMs);
  }

  /** For so many steps more, and what usually stands between them. */
  leftMs(steps: number): number {
    return steps * (this.stepMs + this.#otherMs / Math.max(1, this.#steps));
  }
}
