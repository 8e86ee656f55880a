/**
 * A task that a seq2seq model can solve exactly: reversing or sorting strings of various lengths over a small alphabet.
 *
 * A hash of each string and the seed decides whether the string belongs to the training set or is held out. The two sets
 * never overlap, however many strings are drawn, so the model cannot have memorized a held-out answer.
 */
import type { Settings, Task } from "../../config/settings.ts";
import { ConfigError } from "../../errors.ts";
import { Random } from "../../random.ts";

export type ToyTaskSettings = Pick<Settings, "task" | "alphabetSize" | "minLength" | "maxLength" | "seed">;

/** The set that strings are drawn from. */
export type Side = "training" | "held out";

/** A string and its answer, as ids in 0 … alphabetSize−1. */
export interface Example {
  readonly source: readonly number[];
  readonly answer: readonly number[];
}

/** One string in this many is held out. */
const HELD_OUT_ONE_IN = 10;
/** With this many strings it is practically impossible that none is held out, or all are. */
const FEWEST_STRINGS = 1000;

export class ToyTask {
  readonly settings: ToyTaskSettings;

  /** @throws ConfigError when there are too few different strings */
  constructor(settings: ToyTaskSettings) {
    const strings = countStrings(settings);
    if (strings < FEWEST_STRINGS) {
      throw new ConfigError(
        `there are only ${strings} strings of ${settings.minLength} to ${settings.maxLength} of ${settings.alphabetSize} letters, and ${FEWEST_STRINGS} are needed for a training set and a held-out set: raise \`maxLength\` or \`alphabetSize\``,
      );
    }
    this.settings = settings;
  }

  isHeldOut(source: readonly number[]): boolean {
    return Random.of(this.settings.seed, "held out", source.join(" ")).below(HELD_OUT_ONE_IN) === 0;
  }

  /** A random string of one set, with uniform length in minLength … maxLength and uniform letters. */
  draw(side: Side, random: Random): Example {
    const { alphabetSize, minLength, maxLength, task } = this.settings;
    for (;;) {
      const length = minLength + random.below(maxLength - minLength + 1);
      const source = Array.from({ length }, () => random.below(alphabetSize));
      if (this.isHeldOut(source) === (side === "held out")) return { source, answer: answer(task, source) };
    }
  }

  /** A fixed list of held-out strings: `count` draws without the duplicates. */
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

/** The right answer to a string. */
export function answer(task: Task, source: readonly number[]): number[] {
  return task === "reverse" ? [...source].reverse() : [...source].sort((a, b) => a - b);
}

/** The number of different strings, at most FEWEST_STRINGS. */
function countStrings({ alphabetSize, minLength, maxLength }: ToyTaskSettings): number {
  let ofLength = 1;
  let total = 0;
  for (let length = 1; length <= maxLength && total < FEWEST_STRINGS; length++) {
    ofLength *= alphabetSize;
    if (length >= minLength) total += ofLength;
  }
  return Math.min(total, FEWEST_STRINGS);
}
