/** Mutants of texts: where they start, their documents and their splits. */
import type { Mutant } from "./list.ts";

export const texts: readonly Mutant[] = [
  {
    promise: "without a prompt, a text starts where the run recorded it",
    file: "src/run/default-prompt.ts",
    line: 'corpus?.start ?? "\\n"',
    broken: '"\\n"',
    tests: ["test/run/default-prompt.test.ts"],
  },
  {
    promise: "the end token follows every document, the last one included",
    file: "src/data/documents.ts",
    line: "  yield marker.end();\n",
    broken: "",
    tests: ["test/data/documents.test.ts"],
  },
  {
    promise: "the end of a file ends a document",
    file: "src/data/documents.ts",
    line: "this.#nextFile += 1;",
    broken: "this.#nextFile += 2;",
    tests: ["test/data/documents.test.ts"],
  },
  {
    promise: "a prompt follows the end of another document, as in training",
    file: "src/text/tokenizer.ts",
    line: "  ids[0] = startOfText;\n",
    broken: "",
    tests: ["test/text/end-of-text.test.ts"],
  },
  {
    promise: "no split cuts a document",
    file: "src/data/split.ts",
    line: "if (endOfText === null || wanted === 0) return wanted;",
    broken: "return wanted;",
    tests: ["test/data/split.test.ts"],
  },
  {
    promise: "--new-only leaves out documents of the training text",
    file: "src/cli/commands/sample/items.ts",
    line: "if (newOnly && (copied === true || repeated)) return false;",
    broken: "if (newOnly && repeated) return false;",
    tests: ["test/cli/commands/sample/items.test.ts"],
  },
  {
    promise: "a document that is validated with is not trained on",
    file: "src/data/parts.ts",
    line: "(document) => !isValidated(document)",
    broken: "() => true",
    tests: ["test/data/parts.test.ts"],
  },
  {
    promise: "resuming validates with the separate text of the run",
    file: "src/cli/shared/read-corpus.ts",
    line: "validation: saved.validation, include",
    broken: "validation: undefined, include",
    tests: ["test/cli/commands/train/split.test.ts"],
  },
  {
    promise: "chance does not make the validation part unlike the rest",
    file: "src/data/split-difference.ts",
    line: "const STANDARD_ERRORS = 3;",
    broken: "const STANDARD_ERRORS = 0;",
    tests: ["test/data/split-difference.test.ts"],
  },
  {
    promise: "a folder is read without its binary files",
    file: "src/data/text-files.ts",
    line: 'if (chunk.includes(0)) return "binary";',
    broken: "",
    tests: ["test/data/text-files.test.ts"],
  },
];
