/** Edges, extremes and guarantees of the smaller kernels that the tests of the ops do not reach. */
import { describe, expect, test } from "vitest";
import type { BinaryName, UnaryName } from "../../../src/backend/backend.ts";
import { dropFactor, dropThreshold, hash } from "../../../src/backend/reference/dropout.ts";
import { visibleColumns } from "../../../src/backend/reference/softmax.ts";
import { Block, sumOver } from "../../support/block.ts";
import { bufferOf, numbersIn, reference, written } from "../../support/buffers.ts";
import { expectClose } from "../../support/check-op.ts";

const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: nan } = Number;

describe("unary", () => {
  test.each<[UnaryName, number[]]>([
    ["exp", [POSITIVE_INFINITY, 0, nan]],
    ["log", [POSITIVE_INFINITY, nan, nan]],
    ["sqrt", [POSITIVE_INFINITY, nan, nan]],
    ["tanh", [1, -1, nan]],
    ["relu", [POSITIVE_INFINITY, 0, nan]],
    ["relu2", [POSITIVE_INFINITY, 0, nan]],
    ["silu", [POSITIVE_INFINITY, 0, nan]],
    ["gelu", [POSITIVE_INFINITY, 0, nan]],
    ["gelu-tanh", [POSITIVE_INFINITY, 0, nan]],
  ])("%s of ∞, −∞ and NaN", async (name, expected) => {
    const y = reference.alloc(3);
    reference.unary(name, y, bufferOf([POSITIVE_INFINITY, NEGATIVE_INFINITY, nan]));
    expect(await numbersIn(y)).toEqual(expected);
  });

  test.each<UnaryName>(["gelu", "gelu-tanh"])(
    "%s is 0 far to the left and the identity far to the right",
    async (name) => {
      const x = bufferOf([-1e30, -100, 100, 1e30]);
      const y = reference.alloc(4);
      reference.unary(name, y, x);
      expect((await numbersIn(y)).map(Math.abs)).toEqual([0, 0, 100, 1e30]);
      const derivatives = await written(4, (dx) =>
        reference.unaryBackward(name, dx, bufferOf([1, 1, 1, 1]), x, y),
      );
      expect(derivatives.map(Math.abs)).toEqual([0, 0, 1, 1]);
    },
  );
});

describe("binary and scale", () => {
  test.each<[BinaryName, number[]]>([
    ["add", [10, 5]],
    ["subtract", [4, 9]],
    ["multiply", [21, -14]],
    ["divide", [7 / 3, -3.5]],
  ])("%s may overwrite either operand", async (name, expected) => {
    const operands = () => [bufferOf([7, 7]), bufferOf([3, -2])];
    for (const target of [0, 1]) {
      const buffers = operands();
      reference.binary(name, { buffer: buffers[target], accumulate: false }, buffers[0], buffers[1]);
      expect(await numbersIn(buffers[target])).toEqual(expected);
    }
    const [a, b] = operands();
    expect(await written(2, (y) => reference.binary(name, y, a, b))).toEqual(expected);
  });

  test("scale overwrites or accumulates", async () => {
    expect(await written(2, (y) => reference.scale(y, bufferOf([3, -5]), 2))).toEqual([6, -10]);
  });
});

describe("copy", () => {
  test("copies between strided blocks, overwriting or accumulating, and leaves everything else unchanged", async () => {
    const src = { buffer: bufferOf([0, 1, 2, 3, 4, 5, 6, 7]), offset: 1, strides: [4, 2] };
    const dst = { buffer: bufferOf(new Float64Array(7).fill(10)), offset: 6, strides: [-1, -3] };
    reference.copy(dst, src, [2, 2], false);
    expect(await numbersIn(dst.buffer)).toEqual([10, 10, 7, 3, 10, 5, 1]);
    reference.copy(dst, src, [2, 2], true);
    expect(await numbersIn(dst.buffer)).toEqual([10, 10, 14, 6, 10, 10, 2]);
  });

  test("copies a single number, or none", async () => {
    const dst = bufferOf([5]);
    reference.copy(
      { buffer: dst, offset: 0, strides: [0] },
      { buffer: dst, offset: 0, strides: [0] },
      [0],
      false,
    );
    reference.copy(
      { buffer: dst, offset: 0, strides: [] },
      { buffer: bufferOf([1, 2]), offset: 1, strides: [] },
      [],
      false,
    );
    expect(await numbersIn(dst)).toEqual([2]);
  });
});

describe("reductions", () => {
  const size = { outer: 2, axis: 3, inner: 5 };
  const x = Block.random([2, 3, 5], "x");

  test("sumAxis scales, and overwrites or accumulates", async () => {
    const expected = Block.build([2, 5], (o, i) => -2 * sumOver(3, (a) => x.at(o, a, i)));
    const found = await written(10, (y) => reference.sumAxis(y, bufferOf(x.values), size, -2));
    expectClose(found, expected.values, 1e-14);
  });

  test("maxAxis of −∞ is −∞, and a NaN anywhere gives NaN", async () => {
    const y = reference.alloc(2);
    const low = NEGATIVE_INFINITY;
    reference.maxAxis(y, bufferOf([low, nan, low, 5]), { outer: 1, axis: 2, inner: 2 });
    expect(await numbersIn(y)).toEqual([low, nan]);
  });

  test("sumsOfSquares writes one number per buffer", async () => {
    const y = bufferOf([1, 2, 3]);
    reference.sumsOfSquares(y, [bufferOf([3, -4]), reference.alloc(0)]);
    expect(await numbersIn(y)).toEqual([25, 0, 3]);
  });
});

describe("softmax", () => {
  test("the last row of a causal mask sees every column, each row above it one fewer", () => {
    const seen = (rows: number, columns: number) =>
      Array.from({ length: rows }, (_, row) => visibleColumns("causal", row, rows, columns));
    expect(seen(3, 3)).toEqual([1, 2, 3]);
    expect(seen(2, 5)).toEqual([4, 5]);
    expect(visibleColumns("full", 0, 2, 5)).toBe(5);
  });

  test("hidden columns are never read: a hidden NaN has no effect", async () => {
    const y = reference.alloc(4);
    reference.softmaxRows(y, bufferOf([1, nan, 2, 2]), { count: 1, rows: 2, columns: 2 }, "causal");
    expect(await numbersIn(y)).toEqual([1, 0, 0.5, 0.5]);
  });

  test("a causal mask starts over with every matrix", async () => {
    const y = reference.alloc(8);
    reference.softmaxRows(y, bufferOf(new Float64Array(8)), { count: 2, rows: 2, columns: 2 }, "causal");
    expect(await numbersIn(y)).toEqual([1, 0, 0.5, 0.5, 1, 0, 0.5, 0.5]);
  });

  test("NaN and +∞ propagate through a row", async () => {
    const y = reference.alloc(4);
    reference.softmaxRows(
      y,
      bufferOf([nan, 0, POSITIVE_INFINITY, 0]),
      { count: 2, rows: 1, columns: 2 },
      "full",
    );
    const [a, b, c] = await numbersIn(y);
    expect([a, b, c]).toEqual([nan, nan, nan]);
  });
});

test("cross-entropy of an infinitely unlikely target is ∞, not NaN", async () => {
  const [loss, max, sum] = [1, 1, 1].map((length) => reference.alloc(length));
  reference.crossEntropyRows(loss, { max, sum }, bufferOf([0, NEGATIVE_INFINITY]), [1], 1, 2);
  expect(await Promise.all([loss, max, sum].map(numbersIn))).toEqual([[POSITIVE_INFINITY], [0], [1]]);
});

test("scatterRows leaves out rows whose index is negative", async () => {
  const table = bufferOf([1, 2, 3, 4, 5, 6]);
  reference.scatterRows(table, bufferOf([10, 20, 30, 40, 50, 60]), [2, -1, 0], 3, 2);
  expect(await numbersIn(table)).toEqual([50, 60, 3, 4, 10, 20]);
});

describe("dropout's hash", () => {
  const count = 20_011;
  const hashes = (key: readonly [number, number]) => Array.from({ length: count }, (_, i) => hash(i, key));

  test("has fixed values, because trained models depend on them", () => {
    expect([hash(0, [0, 0]), hash(1, [0, 0]), hash(0, [1, 0]), hash(2 ** 31, [5, 7])]).toEqual([
      0, 1492470133, 1492470133, 1787517301,
    ]);
  });

  test("uses all 32 bits, each set half of the time", () => {
    const values = hashes([0x9e3779b9, 7]);
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    for (let bit = 0; bit < 32; bit++) {
      const share = values.filter((value) => (value >>> bit) & 1).length / count;
      expect(Math.abs(share - 0.5), `bit ${bit}`).toBeLessThan(5 * Math.sqrt(0.25 / count));
    }
  });

  test("is uncorrelated between neighboring indices and between keys that differ in one bit", () => {
    const values = hashes([3, 5]);
    const low = (value: number) => value < 2 ** 31;
    const both = values.filter((value, i) => i > 0 && low(value) && low(values[i - 1])).length / count;
    expect(Math.abs(both - 0.25)).toBeLessThan(0.02);
    for (const other of [hashes([2, 5]), hashes([3, 4])]) {
      const same = values.filter((value, i) => low(value) === low(other[i])).length / count;
      expect(Math.abs(same - 0.5)).toBeLessThan(0.02);
    }
    // The second half of the key does not merely shift the sequence: few values are shared.
    const set = new Set(values);
    expect(hashes([3, 4]).filter((value) => set.has(value)).length).toBeLessThan(10);
  });

  test("drops elements below the threshold and divides the others by the keep probability", () => {
    const dropping = { probability: 0.25, key: [1, 2] } as const;
    for (let i = 0; i < 100; i++) {
      expect(dropFactor(i, dropping)).toBe(hash(i, [1, 2]) < 2 ** 30 ? 0 : 4 / 3);
    }
    expect(dropThreshold(0.3)).toBe(1288490188);
  });
});

describe("adamw", () => {
  test("follows the formula over several steps", async () => {
    const [learningRate, beta1, beta2, epsilon, weightDecay, gradientScale] = [
      0.1, 0.9, 0.95, 1e-3, 0.2, 0.5,
    ];
    const start = [1, -2, 0];
    const buffers = [bufferOf(start), bufferOf([0, 0, 0]), bufferOf([0, 0, 0])] as const;
    const [w, m, v] = [start.slice(), [0, 0, 0], [0, 0, 0]];
    for (let step = 1; step <= 3; step++) {
      const gradient = Array.from(Block.random([3], `step ${step}`).values);
      const [correction1, correction2] = [1 - beta1 ** step, 1 - beta2 ** step];
      const settings = {
        learningRate,
        beta1,
        beta2,
        epsilon,
        correction1,
        correction2,
        gradientScale,
      };
      const [parameter, moment1, moment2] = buffers;
      reference.adamw([{ parameter, gradient: bufferOf(gradient), moment1, moment2, weightDecay }], settings);
      gradient.forEach((each, i) => {
        const g = gradientScale * each;
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g ** 2;
        // Weight decay is separate from the gradient: the W of AdamW.
        w[i] -=
          learningRate *
          (m[i] / correction1 / (Math.sqrt(v[i] / correction2) + epsilon) + weightDecay * w[i]);
      });
    }
    expectClose(await numbersIn(buffers[0]), w, 1e-14, "parameter");
    expectClose(await numbersIn(buffers[1]), m, 1e-14, "moment 1");
    expectClose(await numbersIn(buffers[2]), v, 1e-14, "moment 2");
  });

  test("the size of the first step is the learning rate, regardless of the gradient", async () => {
    for (const gradient of [1e-6, 1, 1e6]) {
      const parameter = bufferOf([0]);
      const settings = {
        learningRate: 0.01,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 0,
        gradientScale: 1,
      };
      const corrections = { correction1: 1 - 0.9, correction2: 1 - 0.99 };
      const moments = { moment1: bufferOf([0]), moment2: bufferOf([0]) };
      const target = { parameter, gradient: bufferOf([gradient]), ...moments, weightDecay: 0 };
      reference.adamw([target], { ...settings, ...corrections });
      expect((await numbersIn(parameter))[0]).toBeCloseTo(-0.01, 12);
    }
  });
});

describe("attention", () => {
  const strides = { offset: 0, rowStride: 2, columnStride: 1, batchStrides: [] };
  const size = { batch: [], rows: 2, columns: 2, width: 2, scale: 1, dropping: null };

  test("stores the maximum and Σ exp(score − maximum) of the visible scores for backward", async () => {
    const [q, k, v] = ["q", "k", "v"].map((name) => Block.random([2, 2], name));
    const [y, max, sum] = [4, 2, 2].map((length) => reference.alloc(length));
    const [qs, ks, vs] = [q, k, v].map((block) => ({ ...strides, buffer: bufferOf(block.values) }));
    reference.attention({ ...strides, buffer: y }, { max, sum }, qs, ks, vs, { ...size, mask: "causal" });
    const score = (i: number, j: number) => q.at(i, 0) * k.at(j, 0) + q.at(i, 1) * k.at(j, 1);
    expectClose(await numbersIn(max), [score(0, 0), Math.max(score(1, 0), score(1, 1))], 1e-14);
    expectClose(await numbersIn(sum), [1, 1 + Math.exp(-Math.abs(score(1, 0) - score(1, 1)))], 1e-14);
  });

  test("never reads hidden keys and values: NaN there has no effect", async () => {
    const [y, max, sum] = [4, 2, 2].map((length) => reference.alloc(length));
    const matrix = (values: number[]) => ({ ...strides, buffer: bufferOf(values) });
    const [q, k, v] = [matrix([1, 2, 3, 4]), matrix([1, 0, nan, nan]), matrix([5, 7, nan, nan])];
    reference.attention({ ...strides, buffer: y }, { max, sum }, q, k, v, { ...size, mask: "causal" });
    expect(await numbersIn(y)).toEqual([5, 7, nan, nan]);
  });

  test("a row whose visible scores are all −∞ produces zeros and no gradient", async () => {
    const [y, max, sum, dq, dk, dv] = [4, 2, 2, 4, 4, 4].map((length) => reference.alloc(length));
    const low = NEGATIVE_INFINITY;
    const matrix = (buffer: typeof y) => ({ ...strides, buffer });
    const [q, k, v] = [
      [1, 0, 0, 1],
      [low, 1, low, 1],
      [5, 7, 3, 2],
    ].map((values) => matrix(bufferOf(values)));
    // ⟨(1, 0), (−∞, 1)⟩ = −∞ for both columns.
    const first = { ...size, mask: "full", rows: 1 } as const;
    reference.attention(matrix(y), { max, sum }, q, k, v, first);
    expect((await numbersIn(y)).slice(0, 2)).toEqual([0, 0]);
    expect([(await numbersIn(max))[0], (await numbersIn(sum))[0]]).toEqual([low, 0]);
    const dy = matrix(bufferOf([1, 1, 1, 1]));
    const replace = { dq: false, dk: false, dv: false };
    reference.attentionBackward(
      matrix(dq),
      matrix(dk),
      matrix(dv),
      dy,
      matrix(y),
      { max, sum },
      q,
      k,
      v,
      first,
      replace,
    );
    expect((await numbersIn(dq)).slice(0, 2)).toEqual([0, 0]);
    for (const buffer of [dk, dv]) expect(await numbersIn(buffer)).toEqual([0, 0, 0, 0]);
  });

  test("key ranges belong to the first batch axis, and hide by start, end and diagonal", async () => {
    const [sequences, heads, rows, columns] = [2, 3, 2, 5];
    const mask = [
      { start: 1, end: 4, diagonal: 2 },
      { start: 2, end: 5, diagonal: -1 },
    ];
    // q = 0: all weights of a row are equal, and powers of 2 in v distinguish the columns.
    const matrix = (buffer: ReturnType<typeof bufferOf>, length: number) => {
      return { buffer, offset: 0, rowStride: 1, columnStride: 1, batchStrides: [heads * length, length] };
    };
    const count = sequences * heads;
    const [y, max, sum] = Array.from({ length: 3 }, () => reference.alloc(count * rows));
    const zeros = bufferOf(new Float64Array(count * columns));
    const powers = bufferOf(Array.from({ length: count * columns }, (_, i) => 2 ** (i % columns)));
    reference.attention(
      matrix(y, rows),
      { max, sum },
      matrix(zeros, rows),
      matrix(zeros, columns),
      matrix(powers, columns),
      { ...size, batch: [sequences, heads], rows, columns, width: 1, mask },
    );
    // The first sequence sees columns 1 and 2, then 1 to 3. The second sees none, since its diagonal never reaches
    // column 2.
    const expected = [2 + 4, 2 + 4 + 8].map((sum, row) => sum / (2 + row));
    expectClose(await numbersIn(y), [expected, expected, expected, [0, 0], [0, 0], [0, 0]].flat(), 1e-14);
    expect((await numbersIn(max)).slice(6)).toEqual(Array.from({ length: 6 }, () => NEGATIVE_INFINITY));
    expect(await numbersIn(sum)).toEqual([2, 3, 2, 3, 2, 3, 0, 0, 0, 0, 0, 0]);
  });
});
