/** Mutants of formulas that PyTorch shares: the golden files must catch each one. */
import type { Mutant } from "./list.ts";

const ops = ["test/ops/pytorch.test.ts"];
const models = ["test/nn/pytorch.test.ts"];
const curves = ["test/train/pytorch.test.ts"];

export const pytorch: readonly Mutant[] = [
  {
    promise: "pytorch: GELU's tanh form has the right constant",
    file: "src/backend/reference/unary.ts",
    line: "SQRT_TWO_OVER_PI * (x + 0.044715 * x * x * x);",
    broken: "SQRT_TWO_OVER_PI * (x + 0.0447 * x * x * x);",
    tests: ops,
  },
  {
    promise: "pytorch: norms of a model add 1e-5 to the variance",
    file: "src/nn/config.ts",
    line: "  normEpsilon: 1e-5,",
    broken: "  normEpsilon: 1e-6,",
    tests: models,
  },
  {
    promise: "layerNorm adds 1e-5 to the variance by default",
    file: "src/ops/layer-norm.ts",
    line: "epsilon = 1e-5): Tensor",
    broken: "epsilon = 1e-6): Tensor",
    tests: ["test/ops/layer-norm.test.ts"],
  },
  {
    promise: "pytorch: rotary positions have the base 10000",
    file: "src/nn/config.ts",
    line: "  ropeBase: 10_000,",
    broken: "  ropeBase: 10_001,",
    tests: models,
  },
  {
    promise: "pytorch: fused scores are divided by √D",
    file: "src/ops/attention.ts",
    line: "scale: 1 / Math.sqrt(width),",
    broken: "scale: 1 / Math.sqrt(width + 1),",
    tests: ops,
  },
  {
    promise: "pytorch: textbook scores are divided by √D",
    file: "src/nn/layers/textbook-attention.ts",
    line: "1 / Math.sqrt(headSize));",
    broken: "1 / headSize);",
    tests: models,
  },
  {
    promise: "pytorch: AdamW's weight decay is scaled by the learning rate",
    file: "src/backend/reference/optimizer.ts",
    line: "ps[i] * (1 - learningRate * weightDecay)",
    broken: "ps[i] * (1 - weightDecay)",
    tests: curves,
  },
  {
    promise: "pytorch: AdamW corrects the second moment's bias",
    file: "src/backend/reference/optimizer.ts",
    line: "Math.sqrt(v / correction2)",
    broken: "Math.sqrt(v)",
    tests: curves,
  },
  {
    promise: "pytorch: biases and norms do not decay",
    file: "src/optim/adamw.ts",
    line: "weightDecay: decays(parameter) ? weightDecay : 0",
    broken: "weightDecay",
    tests: curves,
  },
];
