/** Mutants of run directories: writing them safely, and not trusting their contents. */
import type { Mutant } from "./list.ts";

export const keeping: readonly Mutant[] = [
  {
    promise: "a run killed between writing its two pointers still finds its best step",
    file: "src/run/directory.ts",
    line: '    if (best) this.#point("best", name);\n    this.#point("latest", name);\n',
    broken: '    this.#point("latest", name);\n    if (best) this.#point("best", name);\n',
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "after a power failure, a step that was being removed is complete or has no name",
    file: "src/run/directory.ts",
    line: "      this.#files.flushFolder(this.path);\n      this.#files.remove(removed);\n",
    broken: "      this.#files.remove(removed);\n",
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "after a power failure, a pointer never names a step that is not on disk",
    file: "src/run/directory.ts",
    line: "      this.#files.flushFolder(partial);\n",
    broken: "",
    tests: ["test/run/directory-faults.test.ts"],
  },
  {
    promise: "a loss of NaN is never the best",
    file: "src/train/early-stopping.ts",
    line: "const isBest = validationNats < (best?.validationNats ?? Number.POSITIVE_INFINITY);",
    broken: "const isBest = best === null || validationNats < best.validationNats;",
    tests: ["test/train/early-stopping.test.ts"],
  },
  {
    promise: "brackets inside strings do not count as nesting",
    file: "src/util/json-depth.ts",
    line: "if (character === '\"') at = closingQuote(json, at);",
    broken: "if (character === '\"') at += 1;",
    tests: ["test/util/json-depth.test.ts"],
  },
  {
    promise: "a header that nests too deeply is rejected without a stack overflow",
    file: "src/run/safetensors.ts",
    line: "if (nestsTooDeep(json)) throw",
    broken: "if (json === null) throw",
    tests: ["test/run/safetensors.test.ts"],
  },
  {
    promise: "overlapping tensors are rejected",
    file: "src/run/safetensors.ts",
    line: "if (from !== end) {",
    broken: "if (from > end) {",
    tests: ["test/run/safetensors-fuzz.test.ts"],
  },
  {
    promise: "run files are never written through links",
    file: "src/run/regular-file.ts",
    line: "O_CREAT | O_NONBLOCK | O_NOFOLLOW",
    broken: "O_CREAT | O_NONBLOCK",
    tests: ["test/run/files.test.ts"],
  },
  {
    promise: "a new file is never written through a link that someone left under its name",
    file: "src/run/regular-file.ts",
    line: "    unlinkSync(path);\n",
    broken: "",
    tests: ["test/run/files.test.ts", "test/run/save-file.test.ts"],
  },
  {
    promise: "a pipe or a device is not read",
    file: "src/run/regular-file.ts",
    line: "if (found.isFile()) return",
    broken: "if (!found.isDirectory()) return",
    tests: ["test/run/files.test.ts"],
  },
  {
    promise: "a file that is too large is not read",
    file: "src/run/regular-file.ts",
    line: "if (bytes > limit)",
    broken: "if (bytes < 0)",
    tests: ["test/run/files.test.ts"],
  },
  {
    promise: "a download ends when more arrives than expected",
    file: "src/cli/commands/data/download.ts",
    line: "if (bytes > limit)",
    broken: "if (bytes < 0)",
    tests: ["test/cli/commands/data/download.test.ts"],
  },
];
