/**
 * Negative controls of the suite: a backend with a single fault fails the matching case. The reference has no fault
 * and passes.
 */
import { describe, expect, it } from "vitest";
import type { AttentionSize, Backend, WriteTarget } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { cases, check, conformance, singlePrecision } from "./conformance.ts";

// The reference sums in double precision, which is more accurate than the order required by the contract.
const inDouble = { ...singlePrecision, ordered: false };
conformance("reference", async () => new ReferenceBackend("single"), inDouble);

interface Fault {
  readonly is: string;
  readonly case: string;
  /** The faulty kernels, made from the correct ones. */
  readonly make: (right: Backend) => Partial<Backend>;
}

const overwriting = (target: WriteTarget): WriteTarget => ({ ...target, accumulate: false });

const faults: readonly Fault[] = [
  {
    is: "confuses the two forms of GELU",
    case: "map gelu",
    make: (right) => ({ unary: (name, y, x) => right.unary(name === "gelu" ? "gelu-tanh" : name, y, x) }),
  },
  {
    is: "skips a last element that does not fill a vector",
    case: "map exp",
    make: (right) => ({
      unary: (name, y, x) => {
        const short = right.alloc(x.length - (x.length % 4));
        right.copy(strided(short), strided(x), [short.length], false);
        const result = right.alloc(short.length);
        right.unary(name, result, short);
        right.copy(strided(y), strided(result), [short.length], false);
      },
    }),
  },
  {
    is: "writes to its input",
    case: "map tanh",
    make: (right) => ({
      unary: (name, y, x) => {
        right.unary(name, y, x);
        right.copy(strided(x), strided(y), [x.length], false);
      },
    }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "unaryBackward relu",
    make: (right) => ({
      unaryBackward: (name, dx, dy, x, y) => right.unaryBackward(name, overwriting(dx), dy, x, y),
    }),
  },
  {
    is: "swaps the operands",
    case: "binary subtract",
    make: (right) => ({ binary: (name, y, a, b) => right.binary(name, y, b, a) }),
  },
  {
    is: "ignores half of the key",
    case: "dropout",
    make: (right) => ({
      dropout: (y, x, dropping) => right.dropout(y, x, { ...dropping, key: [dropping.key[0], 0] }),
    }),
  },
  {
    is: "ignores weight decay",
    case: "adamw",
    make: (right) => ({
      adamw: (targets, step) => {
        right.adamw(
          targets.map((target) => ({ ...target, weightDecay: 0 })),
          step,
        );
      },
    }),
  },
  {
    is: "applies the first parameter's decay to all",
    case: "adamw",
    make: (right) => ({
      adamw: (targets, step) => {
        right.adamw(
          targets.map((target) => ({ ...target, weightDecay: targets[0].weightDecay })),
          step,
        );
      },
    }),
  },
  {
    is: "ignores the offset",
    case: "copy",
    make: (right) => ({
      copy: (dst, src, shape, accumulate) => right.copy(dst, { ...src, offset: 0 }, shape, accumulate),
    }),
  },
  {
    is: "normalizes the first operand alone",
    case: "addAndNormalizeRows: the bits of the two kernels that it stands for",
    make: (right) => ({
      addAndNormalizeRows: (sum, y, mean, inverse, a, b, ...rest) => {
        right.binary("add", { buffer: sum, accumulate: false }, a, b);
        right.normalizeRows(y, mean, inverse, a, ...rest);
      },
    }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "copy",
    make: (right) => ({ copy: (dst, src, shape) => right.copy(dst, src, shape, false) }),
  },
  {
    is: "ignores the factor",
    case: "sumAxis",
    make: (right) => ({ sumAxis: (y, x, size) => right.sumAxis(y, x, size, 1) }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "maxAxisBackward",
    make: (right) => ({
      maxAxisBackward: (dx, dy, x, y, size) => right.maxAxisBackward(overwriting(dx), dy, x, y, size),
    }),
  },
  {
    is: "writes to the first element",
    case: "sumsOfSquares",
    make: (right) => ({ sumsOfSquares: (y, xs) => right.sumsOfSquares(y, xs.toReversed()) }),
  },
  {
    is: "ignores the causal mask",
    case: "softmaxRows",
    make: (right) => ({ softmaxRows: (y, x, size) => right.softmaxRows(y, x, size, "all") }),
  },
  {
    is: "ignores the causal mask",
    case: "softmaxRows: hidden entries are exactly +0, and what they held does not matter",
    make: (right) => ({ softmaxRows: (y, x, size) => right.softmaxRows(y, x, size, "all") }),
  },
  {
    is: "uses the first row's target for all rows",
    case: "crossEntropyRows",
    make: (right) => ({
      crossEntropyRows: (loss, total, x, targets, rows, columns) => {
        const first = right.alloc(rows);
        right.copy(strided(first), { ...strided(targets), strides: [0] }, [rows], false);
        right.crossEntropyRows(loss, total, x, first, rows, columns);
      },
    }),
  },
  {
    is: "ignores the bias",
    case: "normalizeRows",
    make: (right) => ({
      normalizeRows: (y, mean, inverse, x, weight, _bias, rows, columns, epsilon) =>
        right.normalizeRows(y, mean, inverse, x, weight, null, rows, columns, epsilon),
    }),
  },
  {
    is: "ignores the weight",
    case: "normalizeRowsBackward",
    make: (right) => ({
      normalizeRowsBackward: (dx, dWeight, dBias, dy, x, _weight, mean, inverse, rows, columns) =>
        right.normalizeRowsBackward(dx, dWeight, dBias, dy, x, null, mean, inverse, rows, columns),
    }),
  },
  {
    is: "centers rows that should not be centered",
    case: "normalizeRows",
    make: (right) => ({
      normalizeRows: (y, mean, inverse, x, weight, bias, rows, columns, epsilon) => {
        const center = mean ?? right.alloc(rows);
        right.normalizeRows(y, center, inverse, x, weight, bias, rows, columns, epsilon);
      },
    }),
  },
  {
    is: "subtracts the mean from the gradient of rows that were not centered",
    case: "normalizeRowsBackward",
    make: (right) => ({
      normalizeRowsBackward: (dx, dWeight, dBias, dy, x, weight, mean, inverse, rows, columns) => {
        const zeros = right.alloc(rows);
        right.fill(zeros, 0);
        const rest = [dy, x, weight, mean ?? zeros, inverse, rows, columns] as const;
        right.normalizeRowsBackward(dx, dWeight, dBias, ...rest);
      },
    }),
  },
  {
    is: "rotates forward only",
    case: "rotateRows",
    make: (right) => ({
      rotateRows: (y, x, table, places, size) =>
        right.rotateRows(y, x, table, places, { ...size, backwards: false }),
    }),
  },
  {
    is: "rotates all rows by the first row's position",
    case: "rotateRows",
    make: (right) => ({
      rotateRows: (y, x, table, places, size) => {
        const first = right.alloc(size.rows);
        right.copy(strided(first), { ...strided(places), strides: [0] }, [size.rows], false);
        right.rotateRows(y, x, table, first, size);
      },
    }),
  },
  {
    is: "confuses squared ReLU with ReLU",
    case: "map relu2",
    make: (right) => ({ unary: (name, y, x) => right.unary(name === "relu2" ? "relu" : name, y, x) }),
  },
  {
    is: "skips the last row",
    case: "gatherRows",
    make: (right) => ({
      gatherRows: (y, table, indices, rows, columns) =>
        right.gatherRows(y, table, indices, Math.max(rows - 1, 0), columns),
    }),
  },
  {
    is: "uses the first index for all rows",
    case: "scatterAddRows",
    make: (right) => ({
      scatterAddRows: (dTable, dy, indices, rows, columns) => {
        const first = right.alloc(rows);
        right.copy(strided(first), { ...strided(indices), strides: [0] }, [rows], false);
        right.scatterAddRows(dTable, dy, first, rows, columns);
      },
    }),
  },
  {
    is: "drops the last term of each sum",
    case: "gemm",
    make: (right) => ({
      gemm: (c, a, b, size) => right.gemm(c, a, b, { ...size, inner: Math.max(size.inner - 1, 0) }),
    }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "gemm",
    make: (right) => ({ gemm: (c, a, b, size) => right.gemm(c, a, b, { ...size, accumulate: false }) }),
  },
  {
    is: "ignores the bias",
    case: "gemm",
    make: (right) => ({ gemm: (c, a, b, size) => right.gemm(c, a, b, { ...size, bias: null }) }),
  },
  {
    is: "does not drop",
    case: "attention",
    make: (right) => ({
      attention: (y, total, q, k, v, size) => right.attention(y, total, q, k, v, { ...size, dropping: null }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention",
    make: (right) => ({
      attention: (y, total, q, k, v, size) => right.attention(y, total, q, k, v, { ...size, visible: "all" }),
    }),
  },
  {
    is: "uses the first sequence's key range for all",
    case: "attention",
    make: (right) => ({
      attention: (y, total, q, k, v, size) =>
        right.attention(y, total, q, k, v, { ...size, visible: firstWindow(right, size) }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention, attentionBackward: what is hidden does not matter, and receives nothing",
    make: (right) => ({
      attention: (y, total, q, k, v, size) => right.attention(y, total, q, k, v, { ...size, visible: "all" }),
    }),
  },
  {
    is: "sees later columns",
    case: "attentionBackward",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, total, q, k, v, size, accumulate) => {
        const all = { ...size, visible: "all" } as const;
        right.attentionBackward(dq, dk, dv, dy, y, total, q, k, v, all, accumulate);
      },
    }),
  },
  {
    is: "clears gradients of hidden columns instead of keeping them",
    case: "attention, attentionBackward: what is hidden does not matter, and receives nothing",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, total, q, k, v, size, accumulate) =>
        right.attentionBackward(dq, dk, dv, dy, y, total, q, k, v, size, { ...accumulate, dv: false }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention: the bits of a row depend on that row of q and on the columns it sees",
    make: (right) => ({
      attention: (y, total, q, k, v, size) => right.attention(y, total, q, k, v, { ...size, visible: "all" }),
    }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "attentionBackward",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, total, q, k, v, size, accumulate) =>
        right.attentionBackward(dq, dk, dv, dy, y, total, q, k, v, size, { ...accumulate, dk: false }),
    }),
  },
];

function firstWindow(right: Backend, { batch, visible }: AttentionSize): AttentionSize["visible"] {
  if (typeof visible === "string") return visible;
  const buffer = right.alloc(3 * batch[0]);
  const repeated = { buffer: visible.buffer, offset: 0, strides: [0, 1] };
  right.copy({ buffer, offset: 0, strides: [3, 1] }, repeated, [batch[0], 3], false);
  return { buffer };
}

function strided(buffer: { readonly length: number }) {
  return { buffer, offset: 0, strides: [1] };
}

describe("detects a fault", () => {
  for (const fault of faults) {
    it(`${fault.case}: ${fault.is}`, async () => {
      const one = cases.find(({ name }) => name === fault.case);
      if (one === undefined) throw new Error(`unknown case "${fault.case}"`);
      const backend = Object.assign(
        new ReferenceBackend("single"),
        fault.make(new ReferenceBackend("single")),
      );
      await expect(check(one, backend, inDouble)).rejects.toThrow(`${fault.case}, seed `);
    });
  }

  it("gemm: sums in a different order than the contract requires", async () => {
    const gemm = cases.filter(({ name }) => name === "gemm");
    expect(gemm).toHaveLength(1);
    await expect(check(gemm[0], new ReferenceBackend("single"))).rejects.toThrow("order of the contract");
  });
});
