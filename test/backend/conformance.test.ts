/**
 * Negative controls of the suite: a backend with a single fault fails the matching case. The reference has no fault
 * and passes.
 */
import { describe, expect, it } from "vitest";
import type { AttentionMask, AttentionSize, Backend, WriteTarget } from "../../src/backend/backend.ts";
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
    is: "overwrites where it should accumulate",
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
    make: (right) => ({ softmaxRows: (y, x, size) => right.softmaxRows(y, x, size, "full") }),
  },
  {
    is: "ignores the causal mask",
    case: "softmaxRows: hidden entries are exactly +0, and what they held does not matter",
    make: (right) => ({ softmaxRows: (y, x, size) => right.softmaxRows(y, x, size, "full") }),
  },
  {
    is: "uses the target of the first row for all",
    case: "crossEntropyRows",
    make: (right) => ({
      crossEntropyRows: (loss, statistics, x, targets, rows, columns) => {
        right.crossEntropyRows(loss, statistics, x, repeated(targets[0], rows), rows, columns);
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
      rotateRows: (y, x, table, positions, size) =>
        right.rotateRows(y, x, table, positions, { ...size, backwards: false }),
    }),
  },
  {
    is: "rotates every row by the position of the first",
    case: "rotateRows",
    make: (right) => ({
      rotateRows: (y, x, table, positions, size) => {
        right.rotateRows(y, x, table, repeated(positions[0], size.rows), size);
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
    is: "writes rows whose index is negative",
    case: "scatterRows",
    make: (right) => ({
      scatterRows: (table, x, indices, rows, columns) => {
        const inside = Array.from(indices, (index) => Math.max(index, 0));
        right.scatterRows(table, x, inside, rows, columns);
      },
    }),
  },
  {
    is: "adds every row to the first index",
    case: "scatterAddRows",
    make: (right) => ({
      scatterAddRows: (dTable, dy, indices, rows, columns) => {
        right.scatterAddRows(dTable, dy, repeated(indices[0], rows), rows, columns);
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
      attention: (y, statistics, q, k, v, size) =>
        right.attention(y, statistics, q, k, v, { ...size, dropping: null }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention",
    make: (right) => ({
      attention: (y, statistics, q, k, v, size) =>
        right.attention(y, statistics, q, k, v, { ...size, mask: "full" }),
    }),
  },
  {
    is: "uses the first key range for every index of the first batch axis",
    case: "attention",
    make: (right) => ({
      attention: (y, statistics, q, k, v, size) =>
        right.attention(y, statistics, q, k, v, { ...size, mask: firstRange(size) }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention, attentionBackward: what is hidden does not matter, and receives nothing",
    make: (right) => ({
      attention: (y, statistics, q, k, v, size) =>
        right.attention(y, statistics, q, k, v, { ...size, mask: "full" }),
    }),
  },
  {
    is: "sees later columns",
    case: "attentionBackward",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate) => {
        const full = { ...size, mask: "full" } as const;
        right.attentionBackward(dq, dk, dv, dy, y, statistics, q, k, v, full, accumulate);
      },
    }),
  },
  {
    is: "clears gradients of hidden columns instead of keeping them",
    case: "attention, attentionBackward: what is hidden does not matter, and receives nothing",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate) =>
        right.attentionBackward(dq, dk, dv, dy, y, statistics, q, k, v, size, { ...accumulate, dv: false }),
    }),
  },
  {
    is: "sees later columns",
    case: "attention: the bits of a row depend on that row of q and on the columns it sees",
    make: (right) => ({
      attention: (y, statistics, q, k, v, size) =>
        right.attention(y, statistics, q, k, v, { ...size, mask: "full" }),
    }),
  },
  {
    is: "overwrites instead of accumulating",
    case: "attentionBackward",
    make: (right) => ({
      attentionBackward: (dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate) =>
        right.attentionBackward(dq, dk, dv, dy, y, statistics, q, k, v, size, { ...accumulate, dk: false }),
    }),
  },
];

function firstRange({ mask }: AttentionSize): AttentionMask {
  return typeof mask === "string" ? mask : mask.map(() => mask[0]);
}

function repeated(integer: number, count: number): number[] {
  return Array.from({ length: count }, () => integer);
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
