/** Single ops against PyTorch: outputs, and the gradients of all inputs, over random shapes. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { textbookAttention } from "../../src/nn/layers/textbook-attention.ts";
import { add } from "../../src/ops/add.ts";
import { attention } from "../../src/ops/attention.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { divide } from "../../src/ops/divide.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { gelu } from "../../src/ops/gelu.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { linear } from "../../src/ops/linear.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { maskedAdd } from "../../src/ops/masked-add.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { max } from "../../src/ops/max.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { scale } from "../../src/ops/scale.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { subtract } from "../../src/ops/subtract.ts";
import { mean, sum } from "../../src/ops/sum.ts";
import { transpose } from "../../src/ops/transpose.ts";
import { exp, log, relu, sqrt, tanh } from "../../src/ops/unary.ts";
import { goldenTensor, PRECISIONS, readGolden, relativeError } from "../support/golden.ts";

/** The options of all ops; each op uses some of them. */
const options = z.strictObject({
  axis: z.int().default(0),
  epsilon: z.number().default(0),
  ids: z.array(z.int()).default([]),
  shape: z.array(z.int()).default([]),
  targets: z.array(z.int()).default([]),
  layout: z.enum(["in-out", "out-in"]).default("in-out"),
  heads: z.int().default(1),
  mask: z
    .enum(["causal", "none"])
    .default("none")
    .transform((mask) => (mask === "none" ? "full" : mask)),
  kind: z.string().default(""),
  windows: z
    .array(z.strictObject({ from: z.int(), end: z.int(), diagonal: z.int() }))
    .default([])
    .transform((ranges) => ranges.map(({ from, ...rest }) => ({ start: from, ...rest }))),
  /** Key ranges as matrices, drawn by the golden program: a row like "0110" for each query. */
  visible: z.array(z.array(z.string())).default([]),
});
type Options = z.output<typeof options>;
type Run = (inputs: readonly Tensor[], options: Options) => Tensor;

/** The nopeek ops for each name in the golden file; both, if there are two. */
const RUNS: Readonly<Record<string, readonly Run[]>> = {
  exp: [([x]) => exp(x)],
  log: [([x]) => log(x)],
  sqrt: [([x]) => sqrt(x)],
  tanh: [([x]) => tanh(x)],
  relu: [([x]) => relu(x)],
  gelu: [([x]) => gelu(x, "exact")],
  geluTanh: [([x]) => gelu(x, "tanh")],
  add: [([a, b]) => add(a, b)],
  subtract: [([a, b]) => subtract(a, b)],
  multiply: [([a, b]) => multiply(a, b)],
  divide: [([a, b]) => divide(a, b)],
  sum: [([x], { axis }) => sum(x, axis)],
  mean: [([x], { axis }) => mean(x, axis)],
  max: [([x], { axis }) => max(x, axis)],
  softmax: [([x]) => softmax(x)],
  causalSoftmax: [([x]) => softmax(x, "causal")],
  logSoftmax: [([x]) => logSoftmax(x)],
  layerNorm: [([x, weight, bias], { epsilon }) => layerNorm(x, weight ?? null, bias ?? null, epsilon)],
  embedding: [([table], { ids, shape }) => embedding(table, ids, shape)],
  crossEntropy: [([logits], { targets }) => crossEntropy(logits, targets)],
  matmul: [([a, b]) => matmul(a, b)],
  linear: [([x, weight, bias], { layout }) => linear(x, weight, bias ?? null, layout)],
  attention: [
    ([q, k, v], { heads, mask }) => attention(q, k, v, { heads, mask }),
    ([q, k, v], { heads, mask }) =>
      textbookAttention(q, { keys: k, values: v }, { heads, mask, dropout: 0, random: null }),
  ],
  windowedAttention: [
    ([q, k, v], { heads, windows }) => attention(q, k, v, { heads, mask: windows }),
    ([q, k, v], { heads, windows }) =>
      textbookAttention(q, { keys: k, values: v }, { heads, mask: windows, dropout: 0, random: null }),
    composedAttention,
  ],
};

const golden = readGolden(
  "ops",
  z.strictObject({
    madeBy: z.string().startsWith("PyTorch "),
    seed: z.string(),
    cases: z.array(
      z.strictObject({
        op: z.string(),
        options,
        inputs: z.array(goldenTensor),
        output: goldenTensor,
        outputGradient: goldenTensor,
        gradients: z.array(goldenTensor),
      }),
    ),
  }),
);

const cases = golden.cases.flatMap((found) => {
  const shapes = found.inputs.map(({ shape }) => `(${shape.join(", ")})`).join(" ");
  return (RUNS[found.op] ?? []).map((run, way) => ({ ...found, run, way: way + 1, shapes }));
});

describe.each(PRECISIONS)("on $where", ({ open, tolerance }) => {
  test.each(cases)("$op of $shapes, way $way, is PyTorch's", async (found) => {
    const context = new Context(await open());
    const inputs = found.inputs.map(({ shape, values }) => context.parameter(shape, values));
    await context.scope("grad", async () => {
      const y = found.run(inputs, found.options);
      expect(y.shape).toEqual(found.output.shape);
      expect(relativeError(await y.read(), found.output.values), "output").toBeLessThan(tolerance);
      const dy = context.constant(y.shape, found.outputGradient.values);
      context.backward(sum(multiply(y, dy)));
    });
    expect(found.gradients.length).toBe(inputs.length);
    for (const [i, input] of inputs.entries()) {
      const error = relativeError(await input.grad(), found.gradients[i].values);
      expect(error, `gradient of input ${i}`).toBeLessThan(tolerance);
    }
    context.close();
  });
});

test("every op that is tested has golden cases, and every golden case is tested", () => {
  expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(RUNS)));
});

test("the cases include a query that sees nothing, whose output is 0", () => {
  const blind = golden.cases.filter(({ options }) =>
    options.visible.flat().some((row) => !row.includes("1")),
  );
  expect(blind.length).toBeGreaterThan(2);
  for (const { output, options } of blind) {
    const channels = output.shape[2];
    options.visible.flat().forEach((row, query) => {
      const values = output.values.subarray(query * channels, (query + 1) * channels);
      if (!row.includes("1")) expect(Array.from(values)).toEqual(new Array(channels).fill(0));
    });
  }
});

/** softmax(QKᵀ/√D + M)·V from plain ops, for any mask. */
function composedAttention([query, keys, values]: readonly Tensor[], options: Options): Tensor {
  const { context } = query;
  const [batchSize, queries, channels] = query.shape;
  const { heads } = options;
  const width = channels / heads;
  const byHead = (x: Tensor) => transpose(reshape(x, [batchSize, x.shape[1], heads, width]), [0, 2, 1, 3]);
  const [q, k, v] = [query, keys, values].map(byHead);
  const hidden = hiddenPairs(options, batchSize, queries, keys.shape[1]);
  const mask = context.constant([batchSize, 1, queries, keys.shape[1]], hidden);
  const scores = scale(matmul(q, transpose(k)), 1 / Math.sqrt(width));
  const mixed = matmul(softmax(maskedAdd(scores, mask)), v);
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batchSize, queries, channels]);
}

/** M (B, T, S): 0 where a query may attend, −∞ where it may not. */
function hiddenPairs({ mask, visible }: Options, batchSize: number, queries: number, keys: number): number[] {
  const sees = (b: number, t: number, s: number) =>
    visible.length > 0 ? visible[b][t][s] === "1" : mask === "full" || s <= keys - queries + t;
  return Array.from({ length: batchSize * queries * keys }, (_, i) => {
    const [b, t, s] = [Math.floor(i / (queries * keys)), Math.floor(i / keys) % queries, i % keys];
    return sees(b, t, s) ? 0 : Number.NEGATIVE_INFINITY;
  });
}
