/**
 * Speed of the WebAssembly matrix product on one thread, in GFLOP/s: a product of (m, k) and (k, n) takes 2mkn
 * operations. Each figure is the median of several runs, the sizes are those of training and sampling.
 *
 *   npx tsx scripts/bench/gemm.ts [filter]       a filter is a part of a size, such as 1x384
 */
import { loadKernels } from "../../src/backend/open.ts";
import { gemm } from "../../src/backend/wasm/gemm.ts";
import { Heap } from "../../src/backend/wasm/heap.ts";
import { instantiate } from "../../src/backend/wasm/instance.ts";

const sizes = [
  [768, 128, 128],
  [768, 128, 512],
  [768, 512, 128],
  [768, 128, 65],
  [768, 65, 128],
  [128, 768, 128],
  [128, 768, 512],
  [512, 768, 128],
  [128, 768, 65],
  [1024, 384, 384],
  [1024, 384, 1536],
  [1024, 1536, 384],
  [384, 1024, 384],
  [384, 1024, 1536],
  [1536, 1024, 384],
  [1024, 1024, 1024],
  [16, 16, 16],
  [64, 32, 64],
  [1, 128, 512],
  [1, 384, 384],
  [1, 384, 1536],
  [2, 384, 1536],
  [4, 384, 1536],
  [8, 384, 1536],
  [384, 384, 1],
];
const cases = ["A·B", "Aᵀ·B", "A·Bᵀ", "Aᵀ·Bᵀ"];
const runMs = 6;
const runs = 15;

const heap = new Heap();
const kernels = instantiate(await loadKernels(), heap.memory);

console.log(`${"rows×inner×columns".padEnd(22)}${cases.map((name) => name.padStart(8)).join("")}   GFLOP/s`);
for (const [rows, inner, columns] of sizes) {
  const name = `${rows}x${inner}x${columns}`;
  if (!name.includes(process.argv[2] ?? "")) continue;
  const figures = cases.map((_, index) => gigaflops(rows, inner, columns, index % 2 === 1, index >= 2));
  console.log(name.padEnd(22) + figures.map((figure) => figure.toFixed(1).padStart(8)).join(""));
}

function gigaflops(rows: number, inner: number, columns: number, aTurned: boolean, bTurned: boolean): number {
  const [a, b, c] = [rows * inner, inner * columns, rows * columns].map((length) => heap.alloc(length));
  for (const { pointer, length } of [a, b]) {
    heap.floats.subarray(pointer / 4, pointer / 4 + length).fill(0.5);
  }
  const laid = (span: typeof a, height: number, width: number, turned: boolean) => ({
    span,
    offset: 0,
    rowStride: turned ? 1 : width,
    columnStride: turned ? height : 1,
    batchStrides: [],
  });
  const [cMatrix, aMatrix, bMatrix] = [
    laid(c, rows, columns, false),
    laid(a, rows, inner, aTurned),
    laid(b, inner, columns, bTurned),
  ];
  const size = { batch: [], rows, inner, columns, accumulate: false, bias: null };
  const run = () => gemm(heap, kernels, cMatrix, aMatrix, bMatrix, size);
  const operations = 2 * rows * inner * columns;
  const repeats = Math.max(1, Math.round((runMs * 20e6) / operations));
  const times = Array.from({ length: runs + 2 }, () => {
    const startMs = performance.now();
    for (let i = 0; i < repeats; i++) run();
    return (performance.now() - startMs) / repeats;
  });
  for (const span of [a, b, c]) heap.free(span);
  const sorted = times.slice(2).sort((x, y) => x - y);
  return operations / sorted[sorted.length >> 1] / 1e6;
}
