/** Mutants of the checks of arguments. */
import type { Mutant } from "./list.ts";

export const argumentChecks: readonly Mutant[] = [
  {
    promise: "backward refuses the loss of another context",
    file: "src/autograd/context.ts",
    line: 'if (contextOf("backward", root) !== this) {',
    broken: "if (root === null) {",
    tests: ["test/autograd/context.test.ts"],
  },
  {
    promise: "an operand that is no tensor is named",
    file: "src/autograd/context.ts",
    line: "if (operand instanceof Tensor) return;",
    broken: "if (operand !== undefined) return;",
    tests: ["test/wrong-types.test.ts"],
  },
  {
    promise: "a misspelled choice is refused",
    file: "src/util/check-types.ts",
    line: 'if (typeof value === "string" && choices.includes(value)) return;',
    broken: 'if (typeof value === "string") return;',
    tests: ["test/util/check-types.test.ts"],
  },
  {
    promise: "a backend opens with a whole number of threads only",
    file: "src/backend/names.ts",
    line: "if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return;",
    broken: "if (threads >= 1 && threads <= MOST_THREADS) return;",
    tests: ["test/backend/open.test.ts"],
  },
  {
    promise: "a learning rate that makes the first step NaN is refused",
    file: "src/config/settings-table.ts",
    line: "const LEAST = 1e-12;",
    broken: "const LEAST = 0;",
    tests: ["test/train/setting-ranges.test.ts"],
  },
  {
    promise: "an epsilon that makes the first step NaN is refused",
    file: "src/config/settings-table.ts",
    line: "const LEAST_EPSILON = 1e-20;",
    broken: "const LEAST_EPSILON = 5e-324;",
    tests: ["test/train/setting-ranges.test.ts"],
  },
];
