/** Detects sudden spikes of the gradient norm. */
import * as z from "zod/mini";
import { parseSaved } from "../config/parse-saved.ts";

/** The number of recent steps in the median, and the number required before anything counts as a spike. */
const RECENT = 64;
const NEEDED = 16;

const layout = z.object({
  gradientNorms: z.array(z.number().check(z.minimum(0), z.maximum(1e60))).check(z.maxLength(RECENT)),
});

export class SpikeDetector {
  /**
   * The norms of recent steps, newest last. Skipped steps are included, so a new level becomes normal after a while.
   */
  #norms: readonly number[] = [];

  /** The state for a checkpoint. */
  toJSON(): { readonly gradientNorms: readonly number[] } {
    return { gradientNorms: this.#norms };
  }

  /**
   * Restores the state from a checkpoint. Checkpoints of earlier versions have none.
   *
   * @throws CheckpointError when it is damaged
   */
  restore(state: unknown): void {
    this.#norms = parseSaved(layout, state)?.gradientNorms ?? [];
  }

  /**
   * Records the gradient norm of one step and returns whether it is a spike.
   *
   * @param limit a norm above `limit` times the recent median is a spike; 0 turns detection off
   */
  isSpike(norm: number, limit: number): boolean {
    if (limit === 0) return false;
    const spike = this.#norms.length >= NEEDED && norm > limit * upperMedian(this.#norms);
    this.#norms = [...this.#norms.slice(1 - RECENT), norm];
    return spike;
  }
}

/** The median; of an even count, the larger of the two middle values. */
function upperMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
