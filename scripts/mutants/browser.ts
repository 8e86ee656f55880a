/** Mutants of what lets the library run in browsers. */
import type { Mutant } from "./list.ts";

export const browsers: readonly Mutant[] = [
  {
    promise: "a page that is not isolated gets one thread",
    file: "src/backend/open-browser.ts",
    line: "if (page.crossOriginIsolated !== true) {",
    broken: "if (page.crossOriginIsolated === null) {",
    tests: ["test/backend/open-browser.test.ts"],
  },
  {
    promise: "a browser without SIMD is refused with a way out",
    file: "src/backend/open-browser.ts",
    line: "if (!WebAssembly.validate(simd))",
    broken: "if (simd.length === 0)",
    tests: ["test/backend/open-browser.test.ts"],
  },
  {
    promise: "a browser that refuses 4 GiB of addresses is asked for less",
    file: "src/backend/open-browser.ts",
    line: "if (smaller.length === 0 || !(error instanceof BackendError)) throw error;",
    broken: "if (smaller.length >= 0) throw error;",
    tests: ["test/backend/open-browser.test.ts"],
  },
  {
    promise: "only the tales have the floor of the tales",
    file: "src/data/tales.ts",
    line: "known.success && known.data.sha256 === sha256",
    broken: "known.success && sha256.length > 0",
    tests: ["test/data/tales.test.ts"],
  },
  {
    promise: "a checkpoint whose bytes changed is refused, by the hash of the files that it was read with",
    file: "src/run/checkpoint.ts",
    line: "if (found === expected) return;",
    broken: 'if (found === expected || expected !== "") return;',
    tests: ["test/run/checkpoint.test.ts"],
  },
  {
    promise: "a step directory is found with Windows' separators",
    file: "src/util/paths.ts",
    line: "return /[^\\\\/]*$/.exec(withoutEnd(path))?.[0] ??",
    broken: "return /[^/]*$/.exec(withoutEnd(path))?.[0] ??",
    tests: ["test/util/paths.test.ts"],
  },
];
