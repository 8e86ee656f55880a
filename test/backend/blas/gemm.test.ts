/**
 * BLAS products on any machine: a textbook sgemm takes the place of the library. It sums in the order of the
 * contract, so the whole suite must hold bit for bit, and its calls can be inspected.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Matrices, ProductSize } from "../../../src/backend/backend.ts";
import { makeGemm } from "../../../src/backend/blas/gemm.js";
import { loadKernels } from "../../../src/backend/open.ts";
import { productWords } from "../../../src/backend/wasm/host/gemm.ts";
import { Heap } from "../../../src/backend/wasm/host/heap.ts";
import { WasmBackend } from "../../../src/backend/wasm/host/wasm-backend.ts";
import { cases, check } from "../conformance.ts";
import { BASE, textbookSgemm } from "./textbook-sgemm.ts";

/** @param threads number of parts of a product, all computed here one after the other */
async function textbookBackend(threads: number, calls: Call[] = [], minWork = 0) {
  const heap = new Heap(undefined, threads);
  const textbook = textbookSgemm(heap.memory);
  const module = await loadKernels();
  const state = { alone: 0 };
  const backend = new WasmBackend(
    module,
    (kernels) => {
      const counted = {
        ...kernels,
        gemm: (...args: Parameters<typeof kernels.gemm>) => {
          state.alone++;
          kernels.gemm(...args);
        },
      };
      const sgemm: typeof textbook = (...args) => {
        const [order, transA, transB, rows, columns, inner, , , lda, , ldb, beta, , ldc] = args;
        calls.push({ order, transA, transB, rows, columns, inner, lda, ldb, ldc, beta });
        textbook(...args);
      };
      return { ...kernels, gemm: makeGemm(sgemm, BASE, heap.memory, counted, productWords, minWork) };
    },
    heap,
  );
  return { backend, calls, state };
}

interface Call {
  readonly order: number;
  readonly transA: number;
  readonly transB: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly beta: number;
}

describe("the gemm cases of the suite, bit for bit", () => {
  it.each([1, 3])("pass with memory for %i threads", async (threads) => {
    const { backend, calls } = await textbookBackend(threads);
    for (const one of cases.filter(({ name }) => name.startsWith("gemm"))) await check(one, backend);
    // Without BLAS calls, the suite would prove nothing.
    expect(calls.length).toBeGreaterThan(100);
  });
});

describe("calls to BLAS", () => {
  let module: Awaited<ReturnType<typeof textbookBackend>>;
  const [rows, inner, columns] = [7, 11, 13];
  const size: ProductSize = { batch: [], rows, columns, inner, accumulate: false, bias: null };
  beforeAll(async () => {
    module = await textbookBackend(1);
  });

  /** A matrix over a new buffer. */
  function laid(rowStride: number, columnStride: number, batchStrides: readonly number[] = []): Matrices {
    const buffer = module.backend.alloc(2000);
    module.backend.fill(buffer, 0.5);
    return { buffer, offset: 0, rowStride, columnStride, batchStrides };
  }

  function ask(c: Matrices, a: Matrices, b: Matrices, sizes: Partial<ProductSize> = {}): readonly Call[] {
    module.calls.length = 0;
    module.state.alone = 0;
    module.backend.gemm(c, a, b, { ...size, ...sizes });
    return [...module.calls];
  }

  it("pass contiguous matrices of A·B unchanged", () => {
    const calls = ask(laid(columns, 1), laid(inner, 1), laid(columns, 1));
    const leads = { lda: inner, ldb: columns, ldc: columns };
    expect(calls).toEqual([
      { order: 101, transA: 111, transB: 111, rows, columns, inner, ...leads, beta: 0 },
    ]);
  });

  it("express Aᵀ·B and A·Bᵀ as transposes, and gaps as leading dimensions", () => {
    const [one] = ask(laid(columns + 3, 1), laid(1, rows + 2), laid(columns + 1, 1));
    expect(one).toMatchObject({
      transA: 112,
      transB: 111,
      lda: rows + 2,
      ldb: columns + 1,
      ldc: columns + 3,
    });
    const [other] = ask(laid(columns, 1), laid(inner + 5, 1), laid(1, inner));
    expect(other).toMatchObject({ transA: 111, transB: 112, lda: inner + 5, ldb: inner });
  });

  it("start from the bias or from C", () => {
    const bias = module.backend.alloc(columns);
    module.backend.fill(bias, 2);
    expect(ask(laid(columns, 1), laid(inner, 1), laid(columns, 1), { bias })[0].beta).toBe(1);
    expect(ask(laid(columns, 1), laid(inner, 1), laid(columns, 1), { accumulate: true })[0].beta).toBe(1);
    expect(ask(laid(1, rows), laid(inner, 1), laid(columns, 1), { bias })[0]).toMatchObject({ order: 102 });
  });

  it("make one call per matrix of a batch, including repeated matrices", () => {
    const calls = ask(laid(columns, 1, [91]), laid(inner, 1, [77]), laid(columns, 1, [0]), { batch: [5] });
    expect(calls).toHaveLength(5);
  });

  it("accept a single row with any row stride", () => {
    const [call] = ask(laid(0, 1), laid(0, 1), laid(columns, 1), { rows: 1 });
    expect(call).toMatchObject({ rows: 1, lda: inner, ldc: columns });
  });

  it.each([
    ["both strides above 1", 2 * inner, 2],
    ["a repeated row", 0, 1],
    ["overlapping rows", inner - 1, 1],
    ["overlapping columns", 1, rows - 1],
  ])("are not made for A with %s", (_, rowStride, columnStride) => {
    expect(ask(laid(columns, 1), laid(rowStride, columnStride), laid(columns, 1))).toEqual([]);
    expect(module.state.alone).toBe(1);
  });

  it("are not made for empty sums, or for products too small to be worth a call", async () => {
    expect(ask(laid(columns, 1), laid(inner, 1), laid(columns, 1), { inner: 0 })).toEqual([]);
    expect(module.state.alone).toBe(1);
    module = await textbookBackend(1, [], rows * inner * columns);
    expect(ask(laid(columns, 1), laid(inner, 1), laid(columns, 1))).toHaveLength(1);
    expect(ask(laid(columns, 1), laid(inner, 1), laid(columns, 1), { rows: rows - 1 })).toEqual([]);
  });
});
