/**
 * What a check of a trained model takes and gives. Each check is one file and one function: a model and options
 * enter; what was compared, whether it held, and what spoke against it leave. None prints, and none throws because
 * a model is wrong.
 */
import type { GPT } from "../nn/gpt.ts";

/** What the checks ask of a model: a GPT, or another that scores a token at each position. */
export type Subject = Pick<GPT, "context" | "config" | "forward" | "decode" | "makeCache" | "parameters">;

/** Token ids, one list for each row of a batch, all of one length. */
export type Rows = readonly (readonly number[])[];

export interface CheckOptions {
  readonly texts: Rows;
  /** Where the check's own randomness comes from. */
  readonly seed: number;
  /** Token ids as a person reads them. */
  readonly show: (ids: readonly number[]) => string;
  /** What a loss asks for at each token of a row, IGNORED where for nothing; what comes next unless told. */
  readonly targetsOf?: (row: readonly number[]) => readonly number[];
  /** How many counter-examples are kept; the first unless told. */
  readonly keep?: number;
  /** Called now and then with what share of the check is done. */
  readonly onProgress?: (share: number) => void;
}

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** Why there was nothing to compare; null when there was. */
  readonly skipped: string | null;
  /** What was compared, in words and numbers, on one line. */
  readonly compared: string;
  readonly comparisons: number;
  /** How many of them failed. */
  readonly failures: number;
  /** The first that failed, in words. */
  readonly counterExamples: readonly string[];
}

/** Counts comparisons, and keeps the first that fail. Memory stays flat however many do. */
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

  /** Whether a failure that comes now would be described: describing may take work. */
  get wantsExamples(): boolean {
    return this.#kept.length < this.#keep;
  }

  /** @param describe what spoke against it; called for the failures that are kept */
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

/** A check for which this model, or this text, leaves nothing to compare. */
export function skipped(name: string, why: string): CheckResult {
  return { name, ok: true, skipped: why, compared: "", comparisons: 0, failures: 0, counterExamples: [] };
}
