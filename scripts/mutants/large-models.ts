/** Mutants of what saves memory for large models and vocabularies: see list.ts. */

import type { Mutant } from "./list.ts";

export const largeModels: readonly Mutant[] = [
  {
    promise: "chunks of logits add their gradients of the head's weight",
    file: "src/ops/fused/linear-cross-entropy.ts",
    line: "{ accumulate: start > 0 }",
    broken: "{ accumulate: false }",
    tests: ["test/ops/fused/linear-cross-entropy.test.ts"],
  },
  {
    promise: "each chunk of logits reads its own positions",
    file: "src/ops/fused/linear-cross-entropy.ts",
    line: "offset: start * inputs });",
    broken: "offset: 0 });",
    tests: ["test/ops/fused/linear-cross-entropy.test.ts"],
  },
  {
    promise: "a loss in chunks keeps the cap of the logits",
    file: "src/nn/layers/head.ts",
    line: "{ layout, cap: this.#logitCap, chunkRows }",
    broken: "{ layout, cap: 0, chunkRows }",
    tests: ["test/nn/large-vocabulary.test.ts"],
  },
  {
    promise: "a loss of many logits does not hold them all",
    file: "src/nn/layers/head.ts",
    line: "if (chunks <= 1) return",
    broken: "if (chunks <= 1000) return",
    tests: ["test/nn/large-vocabulary.test.ts"],
  },
];
