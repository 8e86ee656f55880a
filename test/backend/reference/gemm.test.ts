/** Products over strides that no op uses today, and the order of sums that the contract guarantees. */
import { expect, test } from "vitest";
import type { Matrices } from "../../../src/backend/backend.ts";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import { Block, sumOver } from "../../support/block.ts";
import { bufferOf, numbersIn, reference } from "../../support/buffers.ts";
import { expectClose } from "../../support/check-op.ts";

const [batch, rows, columns, inner] = [[2, 3], 5, 7, 11];

/** Matrices with gaps everywhere: each stride is larger than necessary, and the first offset is not 0. */
function gapped(
  name: string,
  m: number,
  n: number,
  transposed: boolean,
): { matrices: Matrices; at: (index: number[]) => number } {
  const [rowStride, columnStride] = transposed ? [1, m + 2] : [n + 3, 1];
  const one = (m + 3) * (n + 3);
  const batchStrides = [3 * one + 5, one];
  const { values } = Block.random([2 * batchStrides[0] + 13], name);
  const offset = 13;
  const at = ([i, j, row, column]: number[]) =>
    offset + i * batchStrides[0] + j * batchStrides[1] + row * rowStride + column * columnStride;
  return { matrices: { buffer: bufferOf(values), offset, rowStride, columnStride, batchStrides }, at };
}

test.each([
  { transposed: false, accumulate: false, biased: false },
  { transposed: true, accumulate: false, biased: true },
  { transposed: true, accumulate: true, biased: false },
])("multiplies over gaps, offsets and batches: %j", async ({ transposed, accumulate, biased }) => {
  const a = gapped("a", rows, inner, transposed);
  const b = gapped("b", inner, columns, !transposed);
  const c = gapped("c", rows, columns, transposed);
  const bias = biased ? Block.random([columns], "bias") : null;
  const [as, bs, before] = await Promise.all([a, b, c].map(({ matrices }) => numbersIn(matrices.buffer)));
  reference.gemm(c.matrices, a.matrices, b.matrices, {
    batch,
    rows,
    columns,
    inner,
    accumulate,
    bias: bias === null ? null : bufferOf(bias.values),
  });
  const after = await numbersIn(c.matrices.buffer);

  const expected = before.slice();
  Block.build([...batch, rows, columns], (i, j, row, column) => {
    const at = c.at([i, j, row, column]);
    const start = accumulate ? before[at] : (bias?.at(column) ?? 0);
    expected[at] = start + sumOver(inner, (p) => as[a.at([i, j, row, p])] * bs[b.at([i, j, p, column])]);
    return 0;
  });
  // Numbers in the gaps do not change.
  expectClose(after, expected, 1e-12);
});

test("a batch stride of 0 uses the same matrix for the whole batch", async () => {
  const a = bufferOf([1, 2, 3, 4]);
  const b = bufferOf([5, 7]);
  const c = reference.alloc(4);
  const matrix = { offset: 0, rowStride: 1, columnStride: 1 };
  reference.gemm(
    { buffer: c, ...matrix, batchStrides: [2] },
    { buffer: a, ...matrix, rowStride: 2, columnStride: 1, batchStrides: [0] },
    { buffer: b, ...matrix, batchStrides: [0] },
    { batch: [2], rows: 2, columns: 1, inner: 2, accumulate: false, bias: null },
  );
  expect(await numbersIn(c)).toEqual([19, 43, 19, 43]);
});

test("sums add the products to the start value in order, rounding each time", async () => {
  const [huge, a] = [2 ** 60, [1, 1, 1]];
  const row = { offset: 0, rowStride: 3, columnStride: 1, batchStrides: [] };
  const column = { offset: 0, rowStride: 1, columnStride: 1, batchStrides: [] };
  const run = async (values: number[], bias: number) => {
    const c = reference.alloc(1);
    const size = { batch: [], rows: 1, columns: 1, inner: 3, accumulate: false, bias: bufferOf([bias]) };
    reference.gemm(
      { ...column, buffer: c },
      { ...row, buffer: bufferOf(a) },
      { ...column, buffer: bufferOf(values) },
      size,
    );
    return (await numbersIn(c))[0];
  };
  // (((1 + 2⁶⁰) − 2⁶⁰) + 3) loses the 1. Any other order would keep it, or lose the 3.
  expect(await run([huge, -huge, 3], 1)).toBe(3);
  expect(await run([1, huge, -huge], 3)).toBe(0);
});

test("in single precision the sum is rounded only once, when it is stored", async () => {
  const single = new ReferenceBackend("single");
  const [c, a, b] = [single.alloc(1), single.alloc(3), single.alloc(3)];
  single.write(a, [1, 1, 1]);
  single.write(b, [2 ** 24, 1, 1]);
  const strides = { offset: 0, rowStride: 1, columnStride: 1, batchStrides: [] };
  const size = { batch: [], rows: 1, columns: 1, inner: 3, accumulate: false, bias: null };
  single.gemm({ ...strides, buffer: c }, { ...strides, buffer: a }, { ...strides, buffer: b }, size);
  expect((await single.read(c))[0]).toBe(2 ** 24 + 2);
});
