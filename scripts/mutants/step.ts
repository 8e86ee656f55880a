/** Mutants of training steps that handle several things in one call or one pass. */
import type { Mutant } from "./list.ts";

export const step: readonly Mutant[] = [
  {
    promise: "a captured array is read again at each replay",
    file: "src/backend/wasm/capture/captured-calls.ts",
    line: "this.#arrays.refresh();",
    broken: "",
    tests: ["test/backend/wasm/capture/captured-calls.test.ts"],
  },
  {
    promise: "a captured array has memory that no captured call writes",
    file: "src/backend/wasm/host/host-arrays.ts",
    line: "this.#heap.allocUnused(array.length)",
    broken: "this.#heap.alloc(array.length)",
    tests: ["test/nn/inference/captured-decode.test.ts"],
  },
  {
    promise: "both terms of a sum receive its gradient",
    file: "src/ops/add.ts",
    line: "if (b.needsGradient) b.shareGradient(y);",
    broken: "if (b.needsGradient) a.shareGradient(y);",
    tests: ["test/ops/elementwise.test.ts"],
  },
  {
    promise: "a custom op's gradient reaches every input",
    file: "src/ops/custom-op.ts",
    line: "inputs.forEach((input, i) => {",
    broken: "inputs.slice(0, 1).forEach((input, i) => {",
    tests: ["test/ops/custom-op.test.ts"],
  },
  {
    promise: "checkpoints with earlier tensor names still load",
    file: "src/run/checkpoint.ts",
    line: "return withCurrentNames(tensors);",
    broken: "return tensors;",
    tests: ["test/run/tensor-names.test.ts"],
  },
  {
    promise: "a broadcast operand receives the gradients of all its repeats",
    file: "src/ops/fused/add-repeated.ts",
    line: "axis: repeats, inner: row.size",
    broken: "axis: 1, inner: row.size",
    tests: ["test/ops/fused/add-repeated.test.ts"],
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
    line: "if (storages[i] === kept) storages[count++] = kept;",
    broken: "if (storages[i] === kept || i < storages.length) storages[count++] = storages[i];",
    tests: ["test/autograd/memory.test.ts"],
  },
];
