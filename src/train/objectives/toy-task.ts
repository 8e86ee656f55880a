import { TASKS, type Task } from "../../config/choices.ts";
import type { Settings } from "../../config/settings.ts";
import { ConfigError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { checkChoice, checkTypes } from "../../util/check-types.ts";

export type ToyTaskSettings = Pick<Settings, "task" | "alphabetSize" | "minLength" | "maxLength" | "seed">;

/** Which strings to draw: training strings or held-out strings. */
export type Side = "training" | "held out";

/** A string and its answer, as ids in 0 … alphabetSize−1. */
export interface Example {
  readonly source: readonly number[];
  readonly answer: readonly number[];
}

const taskTypes = {
  alphabetSize: "number",
  minLength: "number",
  maxLength: "number",
  seed: "number",
} as const;

/** One in this many strings is held out. */
const HELD_OUT_ONE_IN = 10;
/** With this many strings, it is practically impossible that none or all of them are held out. */
const FEWEST_STRINGS = 1000;

/**
 * A task that a seq2seq model can solve exactly: reverse or sort strings of various lengths over a small alphabet.
 *
 * A hash of the string and the seed decides whether a string is held out. So training strings and held-out strings
 * never overlap, and a correct answer to a held-out string cannot have been memorized.
 *
 * @example
 * const task = new ToyTask({ task: "reverse", alphabetSize: 10, minLength: 3, maxLength: 10, seed: 1337 });
 * const { source, answer } = task.draw("training", Random.of(1));
 */
export class ToyTask {
  readonly settings: ToyTaskSettings;

  /** @throws ConfigError if there are too few different strings to hold some out */
  constructor(settings: ToyTaskSettings) {
    checkTypes("ToyTask", { settings }, { settings: "object" });
    checkChoice("task", settings.task, TASKS);
    checkTypes("ToyTask", settings, taskTypes);
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

  /** Draws a random training or held-out string: length uniform in minLength … maxLength, letters uniform. */
  draw(side: Side, random: Random): Example {
    checkChoice("side", side, ["training", "held out"]);
    checkTypes("draw", { random }, { random: ["below"] });
    const { alphabetSize, minLength, maxLength, task } = this.settings;
    for (;;) {
      const length = minLength + random.below(maxLength - minLength + 1);
      const source = Array.from({ length }, () => random.below(alphabetSize));
      if (this.isHeldOut(source) === (side === "held out")) return { source, answer: answer(task, source) };
    }
  }

  /** `count` draws of held-out strings, without duplicates; the same strings every time. */
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

/** The correct answer for a string. */
export function answer(task: Task, source: readonly number[]): number[] {
  return task === "reverse" ? [...source].reverse() : [...source].sort((a, b) => a - b);
}

/** The number of different strings, capped at FEWEST_STRINGS. */
function countStrings({ alphabetSize, minLength, maxLength }: ToyTaskSettings): number {
  let ofLength = 1;
  let total = 0;
  for (let length = 1; length <= maxLength && total < FEWEST_STRINGS; length++) {
    ofLength *= alphabetSize;
    if (length >= minLength) total += ofLength;
  }
  return Math.min(total, FEWEST_STRINGS);
}
