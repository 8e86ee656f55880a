/** Breaks of what a run keeps on disk, and of what it believes that it finds there. */
import type { Mutant } from "./list.ts";

export const keeping: readonly Mutant[] = [
  {
    promise: "killed between its pointers, a run still knows its best step in the end",
    file: "src/run/directory.ts",
    line: '    if (best) this.#point("best", name);\n    this.#point("latest", name);\n',
    broken: '    this.#point("latest", name);\n    if (best) this.#point("best", name);\n',
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "without power, a step that was being removed is whole or has no name",
    file: "src/run/directory.ts",
    line: "      this.#files.flushFolder(this.path);\n      this.#files.remove(removed);\n",
    broken: "      this.#files.remove(removed);\n",
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "without power, a step is on the disk before a pointer names it",
    file: "src/run/directory.ts",
    line: "      this.#files.flushFolder(partial);\n",
    broken: "",
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "a loss that is no number is never the best",
    file: "src/train/early-stopping.ts",
    line: "const isBest = validationNats < (best?.validationNats ?? Number.POSITIVE_INFINITY);",
    broken: "const isBest = best === null || validationNats < best.validationNats;",
    tests: ["test/train/early-stopping.test.ts"],
  },
  {
    promise: "brackets in strings are no depth",
    file: "src/util/json-depth.ts",
    line: "if (character === '\"') at = closingQuote(json, at);",
    broken: "if (character === '\"') at += 1;",
    tests: ["test/util/json-depth.test.ts"],
  },
  {
    promise: "a header that is too deep is refused, and overflows no stack",
    file: "src/run/safetensors.ts",
    line: "if (nestsTooDeep(json)) throw",
    broken: "if (json === null) throw",
    tests: ["test/run/safetensors.test.ts"],
  },
  {
    promise: "tensors that overlap are refused",
    file: "src/run/safetensors.ts",
    line: "if (from !== end) {",
    broken: "if (from > end) {",
    tests: ["test/run/safetensors-fuzz.test.ts"],
  },
  {
    promise: "a run's files are not written through links",
    file: "src/run/files.ts",
    line: "O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW",
    broken: "O_APPEND | O_CREAT | O_WRONLY",
    tests: ["test/run/files.test.ts"],
  },
];
