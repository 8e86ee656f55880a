/**
 * A task that a seq2seq model can solve exactly: strings over a small alphabet, of unequal lengths, to reverse or to
 * sort.
 *
 * A hash of each string and the seed says, once and for all, whether the string is learned from or held out. So the
 * two never meet, however many are drawn, and a right answer to a string that is held out was not remembered.
 */

import type { Settings, Task } from "../../config/settings.ts";
import { ConfigError } from "../../errors.ts";
import { Random } from "../../random.ts";

export type ToyTaskSettings = Pick<Settings, "task" | "alphabetSize" | "minLength" | "maxLength" | "seed">;

/** Which strings are drawn: those that are learned from, or those that are held out. */
export type Side = "training" | "held out";

/** A string and its answer, as ids in 0 … alphabetSize−1. */
export interface Example {
  readonly source: readonly number[];
  readonly answer: readonly number[];
}

/** One string in so many is held out. */
const HELD_OUT_ONE_IN = 10;
/** With so many strings, that none is held out, or every one, has no chance worth the name. */
const FEWEST_STRINGS = 1000;

export class ToyTask {
  readonly settings: ToyTaskSettings;

  /** @throws ConfigError when there are too few different strings to hold some out */
  constructor(settings: ToyTaskSettings) {
    const strings = countStrings(settings);
    if (strings < FEWEST_STRINGS) {
      throw new ConfigError(
        `there are only ${strings} strings of ${settings.minLength} to ${settings.maxLength} of ${settings.alphabetSize} letters, and ${FEWEST_STRINGS} are needed to learn from some and hold out others: raise \`maxLength\` or \`alphabetSize\``,
      );
    }
    this.settings = settings;
  }

  isHeldOut(source: readonly number[]): boolean {
    return Random.of(this.settings.seed, "held out", source.join(" ")).below(HELD_OUT_ONE_IN) === 0;
  }

  /** A random string of one side: its length uniform in minLength … maxLength, its letters uniform. */
  draw(side: Side, random: Random): Example {
    const { alphabetSize, minLength, maxLength, task } = this.settings;
    for (;;) {
      const length = minLength + random.below(maxLength - minLength + 1);
      const source = Array.from({ length }, () => random.below(alphabetSize));
      if (this.isHeldOut(source) === (side === "held out")) return { source, answer: answer(task, source) };
    }
  }

  /** `count` draws from what is held out, each string once; the same ones every time. */
  heldOut(count: number): Example[] {
    const random = Random.of(this.settings.seed, "held out strings");
    const examples = new Map<string, Example>();
    for (let i = 0; i < count; i++) {
      const example = this.draw("held out", random);
      examples.set(example.source.join(" "), example);
    }
    return [...examples.values()];
  }
}

/** What a task makes of a string. */
export function answer(task: Task, source: readonly number[]): number[] {
  return task === "reverse" ? [...source].reverse() : [...source].sort((a, b) => a - b);
}

/** How many different strings there are, or FEWEST_STRINGS once there are as many. */
function countStrings({ alphabetSize, minLength, maxLength }: ToyTaskSettings): number {
  let ofLength = 1;
  let total = 0;
  for (let length = 1; length <= maxLength && total < FEWEST_STRINGS; length++) {
    ofLength *= alphabetSize;
    if (length >= minLength) total += ofLength;
  }
  return Math.min(total, FEWEST_STRINGS);
}
