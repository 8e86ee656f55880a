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
  {
    promise: "a block that is computed again drops the same elements",
    file: "src/ops/recompute.ts",
    line: "start === undefined ? null : Random.from(start)",
    broken: "random",
    tests: ["test/ops/recompute.test.ts", "test/nn/checkpoint-activations.test.ts"],
  },
  {
    promise: "what a block makes is freed until it is computed again",
    file: "src/ops/recompute.ts",
    line: "temporaries.freeAllBut(y);",
    broken: "",
    tests: ["test/ops/recompute.test.ts"],
  },
  {
    promise: "what a block makes when it is computed again is freed before the next one",
    file: "src/autograd/context.ts",
    line: "freeSince(storages, start, null);",
    broken: "",
    tests: ["test/ops/recompute.test.ts"],
  },
  {
    promise: "`checkpointActivations` keeps the inputs of the blocks only",
    file: "src/nn/layers/transformer.ts",
    line: "if (!this.#checkpoints) return",
    broken: "if (this.#checkpoints) return",
    tests: ["test/nn/checkpoint-activations.test.ts"],
  },
];
