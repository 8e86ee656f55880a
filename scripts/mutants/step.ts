/** Breaks of what a training step does in one call, or in one pass. */
import type { Mutant } from "./list.ts";

export const step: readonly Mutant[] = [
  {
    promise: "a sum in one with its norm: both operands get its gradient",
    file: "src/ops/internal/normalize.ts",
    line: "if (b.needsGradient) b.shareGradient(sum);",
    broken: "if (b.needsGradient) a.shareGradient(sum);",
    tests: ["test/ops/internal/normalize.test.ts"],
  },
  {
    promise: "an operand that repeats gets the gradients of all its repeats",
    file: "src/ops/add.ts",
    line: "axis: repeats, inner: b.size",
    broken: "axis: 1, inner: b.size",
    tests: ["test/ops/elementwise.test.ts"],
  },
  {
    promise: "AdamW in one call: each parameter has its own decay",
    file: "src/backend/wasm/host/multi-tensor.ts",
    line: "1 - step.learningRate * weightDecay",
    broken: "1 - step.learningRate * targets[0].weightDecay",
    tests: ["test/backend/wasm/conformance.test.ts"],
  },
  {
    promise: "more buffers than the table has room for are taken in turns",
    file: "src/backend/wasm/host/multi-tensor.ts",
    line: "to + bytesPerNumber * first",
    broken: "to",
    tests: ["test/backend/wasm/conformance.test.ts"],
  },
  {
    promise: "a pass without a tape takes the memory of one block",
    file: "src/autograd/context.ts",
    line: "if (made !== null) keepOnly(made, start, tensorsOf(state));",
    broken: "if (made !== null) keepOnly(made, made.length, tensorsOf(state));",
    tests: ["test/autograd/memory.test.ts"],
  },
];
