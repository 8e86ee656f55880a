/** Tells a sudden spike of the gradient from its usual size. */
import { z } from "zod";

/** How many of the last steps are usual, and how many must be known before any is judged. */
const RECENT = 64;
const NEEDED = 16;

const layout = z.object({ gradientNorms: z.array(z.number()).max(RECENT).catch([]) });

export class SpikeDetector {
  /** Of the last steps, the newest last; those that were left out too, so that a new level becomes usual. */
  #norms: readonly number[] = [];

  /** What a checkpoint keeps. */
  toJSON(): { readonly gradientNorms: readonly number[] } {
    return { gradientNorms: this.#norms };
  }

  /** Goes on from what `toJSON` gave. Checkpoints of earlier versions have none. */
  restore(state: unknown): void {
    this.#norms = layout.safeParse(state).data?.gradientNorms ?? [];
  }

  /**
   * Takes in one step's gradient norm.
   *
   * @param limit how many times the recent median is a spike; 0 for no judgement
   */
  isSpike(norm: number, limit: number): boolean {
    if (limit === 0) return false;
    const spike = this.#norms.length >= NEEDED && norm > limit * median(this.#norms);
    this.#norms = [...this.#norms.slice(1 - RECENT), norm];
    return spike;
  }
}

/** The upper of the two in the middle, where there are two. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
