/** Mutants of training steps that handle several things in one call or one pass. */
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
    promise: "a broadcast operand receives the gradients of all its repeats",
    file: "src/ops/add.ts",
    line: "axis: repeats, inner: b.size",
    broken: "axis: 1, inner: b.size",
    tests: ["test/ops/elementwise.test.ts"],
  },
  {
    promise: "AdamW over many parameters uses each parameter's own weight decay",
    file: "src/backend/wasm/host/multi-tensor.ts",
    line: "1 - step.learningRate * weightDecay",
    broken: "1 - step.learningRate * targets[0].weightDecay",
    tests: ["test/backend/wasm/conformance.test.ts"],
  },
  {
    promise: "lists of buffers longer than the table are processed in several calls",
    file: "src/backend/wasm/host/multi-tensor.ts",
    line: "to + bytesPerNumber * first",
    broken: "to",
    tests: ["test/backend/wasm/conformance.test.ts"],
  },
  {
    promise: "inference without a tape uses the memory of a single block",
    file: "src/autograd/context.ts",
    line: "if (made !== null) keepOnly(made, start, tensorsOf(state));",
    broken: "if (made !== null) keepOnly(made, made.length, tensorsOf(state));",
    tests: ["test/autograd/memory.test.ts"],
  },
];
