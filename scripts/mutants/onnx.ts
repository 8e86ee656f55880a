/** Mutants of the ONNX export. */
import type { Mutant } from "./list.ts";

const tests = ["test/interop/onnx/export.test.ts"];

export const onnx: readonly Mutant[] = [
  {
    promise: "ONNX: no token sees a later one",
    file: "src/interop/onnx/layers.ts",
    line: "graph.range(graph.subtract(keys, queries), keys)",
    broken: "graph.range(queries, graph.add(keys, queries))",
    tests,
  },
  {
    promise: "ONNX: padding is hidden",
    file: "src/interop/onnx/layers.ts",
    line: 'graph.both(causal, graph.unsqueeze(graph.cast(present, "bool"), [1, 2]))',
    broken: "graph.both(causal, graph.unsqueeze(causal, [0, 1]))",
    tests,
  },
  {
    promise: "ONNX: padding alone makes no NaN",
    file: "src/interop/onnx/layers.ts",
    line: "const HIDDEN = -3.4e38;",
    broken: "const HIDDEN = Number.NEGATIVE_INFINITY;",
    tests,
  },
  {
    promise: "ONNX: GELU is exact",
    file: "src/interop/onnx/layers.ts",
    line: 'return linear(graph, "down", gelu(graph, up), bias);',
    broken: 'return linear(graph, "down", tanhGelu(graph, up), bias);',
    tests,
  },
  {
    promise: "ONNX: heads of keys serve neighboring heads of queries",
    file: "src/interop/onnx/layers.ts",
    line: "graph.expand(graph.unsqueeze(x, [2]), [1, 1, group, 1, 1])",
    broken: "graph.expand(graph.unsqueeze(x, [1]), [1, group, 1, 1, 1])",
    tests,
  },
  {
    promise: "ONNX: the norms of queries and keys have their weights",
    file: "src/interop/onnx/layers.ts",
    line: 'return qkNormWeights ? graph.multiply(y, graph.parameter("weight")) : y;',
    broken: "return y;",
    tests,
  },
  {
    promise: "ONNX: the cache remembers the last token",
    file: "src/interop/onnx/embeddings.ts",
    line: "1, -1, END)",
    broken: "1, 0, 1)",
    tests,
  },
  {
    promise: "ONNX: the first token of a sequence has none before it, whatever the padding is",
    file: "src/interop/onnx/embeddings.ts",
    line: "return graph.where(isFirst, graph.integer(vocabSize), shifted);",
    broken: "return shifted;",
    tests,
  },
  {
    promise: "ONNX: pairs of a large vocabulary have nopeek's hash",
    file: "src/interop/onnx/embeddings.ts",
    line: "xorShifted(graph, hash, 13)",
    broken: "xorShifted(graph, hash, 14)",
    tests,
  },
  {
    promise: "ONNX: a file of 2 GiB is refused",
    file: "src/interop/onnx/export.ts",
    line: "const BYTES_LIMIT = 2 ** 31 - 1;",
    broken: "const BYTES_LIMIT = 2 ** 32;",
    tests,
  },
];
