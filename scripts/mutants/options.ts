/** Mutants of the options that imported models need. */
import type { Mutant } from "./list.ts";

export const options: readonly Mutant[] = [
  {
    promise: "neighboring query heads share a head of keys, in the kernels' strides",
    file: "src/ops/attention.ts",
    line: "batch: [batchSize, kvHeads, group].slice(0, axes)",
    broken: "batch: [batchSize, group, kvHeads].slice(0, axes)",
    tests: ["test/ops/attention.test.ts"],
  },
  {
    promise: "neighboring query heads share a head of keys, in the textbook's formula",
    file: "src/nn/layers/textbook-attention.ts",
    line: "reshape(concatenate(group, 2), [batchSize, heads, positions, headSize])",
    broken: "reshape(concatenate(group, 1), [batchSize, heads, positions, headSize])",
    tests: ["test/nn/layers/textbook-attention.test.ts"],
  },
  {
    promise: "a shared head of keys gets the gradients of its whole group",
    file: "src/ops/internal/group-sums.ts",
    line: "{ outer, axis: group, inner: width }, 1);",
    broken: "{ outer, axis: group, inner: width }, 1 / group);",
    tests: ["test/ops/attention.test.ts"],
  },
  {
    promise: "keys that take no part have gradient 0 where heads share them",
    file: "src/ops/internal/group-sums.ts",
    line: "backend.fill(gradients, 0);",
    broken: "backend.fill(gradients, 1);",
    tests: ["test/ops/attention.test.ts"],
  },
  {
    promise: "the cache has the channels of the keys, not of the queries",
    file: "src/nn/gpt.ts",
    line: "const channels = kvChannelsOf(this.config);",
    broken: "const channels = this.config.dModel;",
    tests: ["test/nn/inference/captured-decode.test.ts"],
  },
  {
    promise: "the norm of queries and keys has the model's epsilon",
    file: "src/nn/layers/qk-norm.ts",
    line: "rmsNorm(heads, this.weight, this.#epsilon)",
    broken: "rmsNorm(heads, this.weight)",
    tests: ["test/nn/gpt.test.ts"],
  },
  {
    promise: "norms have the model's epsilon",
    file: "src/nn/layers/norm.ts",
    line: "layerNorm(x, this.weight, this.bias, this.#epsilon)",
    broken: "layerNorm(x, this.weight, this.bias)",
    tests: ["test/nn/gpt.test.ts"],
  },
  {
    promise: "rotary positions have the model's base",
    file: "src/nn/layers/positions.ts",
    line: "headSizeOf(config), ropeBase)",
    broken: "headSizeOf(config), 10_000)",
    tests: ["test/nn/gpt.test.ts"],
  },
  {
    promise: "qk-norm has a learned weight if the model asks for it",
    file: "src/nn/layers/qk-norm.ts",
    line: "config.qkNormWeights ? context",
    broken: "config.normWeights ? context",
    tests: ["test/nn/count-parameters.test.ts"],
  },
];
