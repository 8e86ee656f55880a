/** Mutants of the live training display and of charts in a terminal. */
import type { Mutant } from "./list.ts";

export const display: readonly Mutant[] = [
  {
    promise: "chart: each value is drawn in the row that its label names",
    file: "src/cli/terminal/chart.ts",
    line: "Math.round((1 - placeOf(axis, value)) * (rows * DOT_ROWS - 1));",
    broken: "Math.round(placeOf(axis, value) * (rows * DOT_ROWS - 1));",
    tests: ["test/cli/terminal/chart.test.ts"],
  },
  {
    promise: "chart: no line exceeds the maximum width",
    file: "src/cli/terminal/chart.ts",
    line: "join(cells.slice(0, width), options.color)",
    broken: "join(cells, options.color)",
    tests: ["test/cli/terminal/chart.test.ts"],
  },
  {
    promise: "display: sampling during training does not affect the training",
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
    promise: "display: messages do not mix with the chart",
    file: "src/cli/terminal/live-region.ts",
    line: 'const TO_SCREEN_END = "\\x1b[J";',
    broken: 'const TO_SCREEN_END = "";',
    tests: ["test/cli/commands/train/display/live-progress.test.ts"],
  },
  {
    promise: "display: after the terminal gets narrower, the whole chart is erased",
    file: "src/cli/terminal/live-region.ts",
    line: "if (!this.#movesCursor || this.#lines === null) return 0;",
    broken: "return 0;",
    tests: ["test/cli/terminal/live-region.test.ts"],
  },
  {
    promise: "display: control characters in model output never reach the terminal",
    file: "src/util/printable.ts",
    line: 'return printable(text).replace(/[\\n\\t]/g, "\\ufffd");',
    broken: "return text;",
    tests: ["test/cli/terminal/columns.test.ts"],
  },
  {
    promise: "output: no character of a foreign name or error acts on the terminal",
    file: "src/cli/terminal/output.ts",
    line: 'return typeof line === "string" ? fitLine(printable(line), columns) : renderSpans(line, color);',
    broken: 'return typeof line === "string" ? fitLine(line, columns) : renderSpans(line, color);',
    tests: ["test/cli/printable-output.test.ts"],
  },
  {
    promise: "output: sampled text cannot act on a terminal",
    file: "src/cli/terminal/output.ts",
    line: "if (process.stdout.isTTY !== true) process.stdout.write(text);",
    broken: "if (process.stdout.isTTY !== null) process.stdout.write(text);",
    tests: ["test/cli/terminal/output.test.ts"],
  },
  {
    promise: "display: wide characters take two columns",
    file: "src/cli/terminal/columns.ts",
    line: "return EMOJI.test(character) ? 2 : eastAsianWidth(code);",
    broken: "return 1;",
    tests: ["test/cli/terminal/columns.test.ts"],
  },
];
