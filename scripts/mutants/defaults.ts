/** Mutants of defaults that fit a text, and of the verdict at the end of a run. */
import type { Mutant } from "./list.ts";

export const defaults: readonly Mutant[] = [
  {
    promise: "defaults: given settings are kept",
    file: "src/config/fit.ts",
    line: "    steps,\n    ...given,",
    broken: "    steps,",
    tests: ["test/config/fit.test.ts"],
  },
  {
    promise: "defaults: a context fits the validation split of a short text",
    file: "src/config/fit.ts",
    line: "Math.floor((text.tokens - 1) / 10)",
    broken: "Math.floor(text.tokens / 2)",
    tests: ["test/config/fit.test.ts"],
  },
  {
    promise: "defaults: measurements are part of the time budget",
    file: "src/config/fit.ts",
    line: "((1 - MEASURED_SHARE) * operations)",
    broken: "(operations)",
    tests: ["test/config/fit.test.ts"],
  },
  {
    promise: "defaults: with given steps nothing is timed",
    file: "src/cli/commands/train/fit-to-text.ts",
    line: "if (given.steps !== undefined)",
    broken: "if (given.steps === 0)",
    tests: ["test/cli/commands/train/fit-to-text.test.ts"],
  },
  {
    promise: "verdict: a diverged run ends with exit code 1",
    file: "src/cli/commands/train/training-session.ts",
    line: 'if (kind === "diverged") process.exitCode = 1;',
    broken: "",
    tests: ["test/cli/commands/train/judge-run.test.ts"],
  },
  {
    promise: "verdict: a validation loss that rises is overfitting only if the training loss falls",
    file: "src/cli/commands/train/verdict.ts",
    line: "return rose && latest.trainingNats < best.trainingNats;",
    broken: "return rose;",
    tests: ["test/cli/commands/train/verdict.test.ts"],
  },
  {
    promise: "n-grams: a token never seen after a history leaves the share of the shorter history",
    file: "src/evaluate/ngram.ts",
    line: "(count + followers * p) / (this.#tree.total(node) + followers)",
    broken: "(count + followers * p) / (this.#tree.total(node) + 1)",
    tests: ["test/evaluate/ngram.test.ts"],
  },
  {
    promise: "baselines: unseen training text is not counted",
    file: "src/evaluate/baselines.ts",
    line: "i % UNSEEN_EVERY === UNSEEN_EVERY - 1",
    broken: "i % UNSEEN_EVERY === UNSEEN_EVERY",
    tests: ["test/evaluate/baselines.test.ts"],
  },
];
