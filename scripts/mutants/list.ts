/** The mutants that scripts/mutants.ts tries, one per promise, and the tests that must catch them. */

import { argumentChecks } from "./arguments.ts";
import { blas } from "./blas.ts";
import { bpe } from "./bpe.ts";
import { browsers } from "./browser.ts";
import { decoding } from "./decoding.ts";
import { defaults } from "./defaults.ts";
import { display } from "./display.ts";
import { family } from "./family.ts";
import { gguf } from "./gguf.ts";
import { huggingFace } from "./hugging-face.ts";
import { imports } from "./import.ts";
import { keeping } from "./keeping.ts";
import { largeModels } from "./large-models.ts";
import { learning } from "./learning.ts";
import { modelOptions } from "./model-options.ts";
import { native } from "./native.ts";
import { onnx } from "./onnx.ts";
import { options } from "./options.ts";
import { page } from "./page.ts";
import { plot } from "./plot.ts";
import { pytorch } from "./pytorch.ts";
import { seq2seq } from "./seq2seq.ts";
import { sharding } from "./sharding.ts";
import { step } from "./step.ts";
import { texts } from "./texts.ts";

export interface Mutant {
  /** A statement of behavior, which the mutant breaks. */
  readonly promise: string;
  readonly file: string;
  /** A piece of source that occurs once in the file, and its replacement. */
  readonly line: string;
  readonly broken: string;
  /** Test files, at least one of which must fail. */
  readonly tests: readonly string[];
}

const masks: readonly Mutant[] = [
  {
    promise: "the causal mask hides later positions",
    file: "src/nn/layers/textbook-attention.ts",
    line: "key <= keys - queries + query ? 0 : Number.NEGATIVE_INFINITY",
    broken: "key <= keys - queries + query + 1 ? 0 : Number.NEGATIVE_INFINITY",
    tests: ["test/verify/causality.test.ts"],
  },
  {
    promise: "masked scores are −∞, not a large number that softmax can still see",
    file: "src/nn/layers/textbook-attention.ts",
    line: "key <= keys - queries + query ? 0 : Number.NEGATIVE_INFINITY",
    broken: "key <= keys - queries + query ? 0 : -30",
    tests: ["test/verify/causality.test.ts"],
  },
  {
    promise: "fused attention is causal (reference)",
    file: "src/backend/reference/softmax.ts",
    line: "columns - rows + row + 1;",
    broken: "Math.min(columns, columns - rows + row + 2);",
    tests: ["test/verify/causality.test.ts"],
  },
  {
    promise: "fused attention is causal (wasm)",
    file: "src/backend/wasm/host/attention.ts",
    line: 'mask === "causal" ? columns - rows : columns;',
    broken: 'mask === "causal" ? columns - rows + 1 : columns;',
    tests: ["test/verify/causality.test.ts"],
  },
  {
    promise: "at the edge of a causal mask, a row adds no column that only later rows see (wasm)",
    file: "src/backend/wasm/kernels/attention-sums.ts",
    line: "weight = v128.load32_splat(end, 4);\n      s10 = multiplyAdd",
    broken:
      "weight = v128.load32_splat(end, 0);\n      s00 = multiplyAdd(s00, weight, b0);\n      s10 = multiplyAdd",
    tests: ["test/backend/native/attention-bits.test.ts", "test/backend/wasm/host/attention-bits.test.ts"],
  },
  {
    promise: "at the edge of a causal mask, gradients of k and v are added row by row (wasm)",
    file: "src/backend/wasm/kernels/attention-sums.ts",
    line: "weight = v128.load32_splat(end, COLUMN + 8);\n    s0 = multiplyAdd(v128.load(at), weight, a20);",
    broken: "weight = v128.load32_splat(end, COLUMN + 4);\n    s0 = multiplyAdd(v128.load(at), weight, a10);",
    tests: ["test/backend/native/attention-bits.test.ts", "test/backend/wasm/host/attention-bits.test.ts"],
  },
  {
    promise: "left padding is hidden",
    file: "src/nn/inputs/mask.ts",
    line: "    start,\n",
    broken: "    start: 0,\n",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "right padding is hidden",
    file: "src/nn/inputs/mask.ts",
    line: "end: padding.ends[b],",
    broken: "end: keys,",
    tests: ["test/nn/inputs/mask.test.ts"],
  },
  {
    promise: "a padded row of a cache sees exactly the keys up to its own token",
    file: "src/nn/inference/decode-state.ts",
    line: "diagonal: length - starts[b],",
    broken: "diagonal: length,",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "padding never enters the cache",
    file: "src/nn/inference/decode-state.ts",
    line: "positionsIn(tokens, lengths, NO_SLOT)",
    broken: "positionsIn(tokens, lengths)",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "positions of a padded row count from its first real token",
    file: "src/nn/inputs/token-batch.ts",
    line: "positions[b * width + t] = first + t - starts[b];",
    broken: "positions[b * width + t] = first + t;",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "bigram embedding: no pair includes padding",
    file: "src/nn/layers/bigram-embedding.ts",
    line: "t > starts[b] ? ids[i - 1]",
    broken: "t > 0 ? ids[i - 1]",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "ignored targets do not affect the loss",
    file: "src/ops/internal/targets.ts",
    line: "counted === 0 ? 0 : 1 / counted",
    broken: "counted === 0 ? 0 : 1 / rows",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "a key range hides the keys before it (wasm)",
    file: "src/backend/wasm/kernels/attention-call.ts",
    line: "window.from = from;",
    broken: "window.from = 0;",
    tests: ["test/nn/padding.test.ts"],
  },
  {
    promise: "a query that sees nothing produces zeros, not NaN (reference)",
    file: "src/backend/reference/attention.ts",
    line: "return sum === 0 ? 0 : (exp(scores[i] - max) / sum) * factorAt(matrix, row, column, size);",
    broken: "return (exp(scores[i] - max) / sum) * factorAt(matrix, row, column, size);",
    tests: ["test/backend/reference/kernels.test.ts", "test/backend/conformance.test.ts"],
  },
  {
    promise: "selecting rows of a cache copies the right rows",
    file: "src/nn/inference/kv-cache.ts",
    line: "offset: from.rows[i] * rowSize, strides: [1] };",
    broken: "offset: to.rows[i] * rowSize, strides: [1] };",
    tests: ["test/nn/inference/kv-cache.test.ts"],
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...masks,
  ...family,
  ...argumentChecks,
  ...largeModels,
  ...learning,
  ...modelOptions,
  ...keeping,
  ...onnx,
  ...gguf,
  ...imports,
  ...huggingFace,
  ...seq2seq,
  ...sharding,
  ...options,
  ...page,
  ...plot,
  ...decoding,
  ...blas,
  ...bpe,
  ...native,
  ...browsers,
  ...defaults,
  ...display,
  ...pytorch,
  ...step,
  ...texts,
];
