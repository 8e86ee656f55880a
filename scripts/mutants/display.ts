/** Breaks of the live display of a training, and of the charts in a terminal. */
import type { Mutant } from "./list.ts";

export const display: readonly Mutant[] = [
  {
    promise: "chart: a value stands in the line that its label names",
    file: "src/cli/terminal/chart.ts",
    line: "Math.round((1 - placeOf(axis, value)) * (rows * DOT_ROWS - 1));",
    broken: "Math.round(placeOf(axis, value) * (rows * DOT_ROWS - 1));",
    tests: ["test/cli/terminal/chart.test.ts"],
  },
  {
    promise: "chart: no line is wider than it may be",
    file: "src/cli/terminal/chart.ts",
    line: "join(cells.slice(0, width), options.color)",
    broken: "join(cells, options.color)",
    tests: ["test/cli/terminal/chart.test.ts"],
  },
  {
    promise: "display: looking at what the model writes changes no bit of what it learns",
    file: "src/cli/commands/train/samples.ts",
    line: "await trainer.evaluating(() => kind.sample())",
    broken: "await trainer.step().then(() => kind.sample())",
    tests: ["test/cli/commands/train/display/same-weights.test.ts"],
  },
  {
    promise: "display: the terminal gets its cursor back",
    file: "src/cli/terminal/live-region.ts",
    line: 'const SHOW_CURSOR = "\\x1b[?25h";',
    broken: 'const SHOW_CURSOR = "";',
    tests: ["test/cli/commands/train/display/live-progress.test.ts"],
  },
  {
    promise: "display: what is said does not go through the picture",
    file: "src/cli/terminal/live-region.ts",
    line: 'const TO_SCREEN_END = "\\x1b[J";',
    broken: 'const TO_SCREEN_END = "";',
    tests: ["test/cli/commands/train/display/live-progress.test.ts"],
  },
  {
    promise: "display: a picture in a terminal that got narrower is erased whole",
    file: "src/cli/terminal/live-region.ts",
    line: "if (!this.#movesCursor || this.#lines === null) return 0;",
    broken: "return 0;",
    tests: ["test/cli/terminal/live-region.test.ts"],
  },
  {
    promise: "display: nothing that a model writes is obeyed by the terminal",
    file: "src/cli/terminal/columns.ts",
    line: '.replace(UNSAFE, "\\ufffd")',
    broken: "",
    tests: ["test/cli/terminal/columns.test.ts"],
  },
  {
    promise: "display: wide characters take two columns",
    file: "src/cli/terminal/columns.ts",
    line: "return EMOJI.test(character) ? 2 : eastAsianWidth(code);",
    broken: "return 1;",
    tests: ["test/cli/terminal/columns.test.ts"],
  },
];
