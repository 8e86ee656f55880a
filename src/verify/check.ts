/**
 * The interface of the checks. Each check is one function in one file: it takes a model and options, and returns what
 * it compared, whether that held, and counterexamples. A check prints nothing and does not throw if a model is wrong.
 */
import type { GPT } from "../nn/gpt.ts";

/** A model that can be checked: a GPT, or another model that returns logits for each position. */
export type CheckedModel = Pick<
  GPT,
  "context" | "config" | "forward" | "decode" | "makeCache" | "parameters"
>;

/** Token ids, one list per row of a batch, all of the same length. */
export type Rows = readonly (readonly number[])[];

export interface CheckOptions {
  readonly texts: Rows;
  /** Random seed of the check. */
  readonly seed: number;
  /** Decodes token ids for messages. */
  readonly show: (ids: readonly number[]) => string;
  /** Target ids for a row, IGNORED for positions without a target. Default: the next tokens. */
  readonly targetsOf?: (row: readonly number[]) => readonly number[];
  /** Maximum number of counterexamples to keep. Default: 1. */
  readonly keep?: number;
  /** Called from time to time with the finished share of the check, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** Why there was nothing to compare, or null if there was. */
  readonly skipped: string | null;
  /** What was compared, on one line. */
  readonly compared: string;
  readonly comparisons: number;
  /** Number of failed comparisons. */
  readonly failures: number;
  /** Descriptions of the first failed comparisons. */
  readonly counterExamples: readonly string[];
}

/** Counts comparisons and keeps a limited number of counterexamples. */
export class Comparisons {
  #count = 0;
  #failures = 0;
  readonly #kept: string[] = [];
  readonly #keep: number;

  constructor({ keep = 1 }: Pick<CheckOptions, "keep"> = {}) {
    this.#keep = keep;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether another failure would be described. Descriptions can be expensive. */
  get wantsExamples(): boolean {
    return this.#kept.length < this.#keep;
  }

  /** @param describe returns a counterexample; only called for failures that are kept */
  expect(holds: boolean, describe: () => string): void {
    this.#count += 1;
    if (holds) return;
    this.#failures += 1;
    if (this.wantsExamples) this.#kept.push(describe());
  }

  result(name: string, compared: string): CheckResult {
    return {
      name,
      ok: this.#failures === 0,
      skipped: null,
      compared,
      comparisons: this.#count,
      failures: this.#failures,
      counterExamples: this.#kept,
    };
  }
}

/** Returns the result of a check that has nothing to compare for this model or these texts. */
export function skipped(name: string, why: string): CheckResult {
  return { name, ok: true, skipped: why, compared: "", comparisons: 0, failures: 0, counterExamples: [] };
}
