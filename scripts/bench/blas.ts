/**
 * Measures the gain from the system's BLAS library, and which threads suit it. Prints medians of alternating rounds.
 *
 *   npx tsx scripts/bench/blas.ts sizes            products on one thread, wasm and blas side by side, in GFLOP/s:
 *                                                  which sizes are too small for the call?
 *   npx tsx scripts/bench/blas.ts threads [count]  products with other kernels between them: the pool's threads, each
 *                                                  calling a single-threaded library, against the library's own
 *                                                  threads
 *                                                  (OpenBLAS) while the pool's threads wait
 *
 * NOPEEK_BLAS names the library, as for the program.
 */
import { platform } from "node:os";
import type { Backend } from "../../src/backend/backend.ts";
import { BlasBackend } from "../../src/backend/blas/blas-backend.ts";
import { makeGemm } from "../../src/backend/blas/gemm.js";
import { openLibrary } from "../../src/backend/blas/library.js";
import { usualLibraries } from "../../src/backend/blas/library-names.ts";
import { startThreads } from "../../src/backend/node-thread.ts";
import { loadKernels, openBackend } from "../../src/backend/open.ts";
import { productWords } from "../../src/backend/wasm/host/gemm.ts";
import { Heap } from "../../src/backend/wasm/host/heap.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { ThreadPool } from "../../src/backend/wasm/threads/pool.ts";

const rounds = 15;
const roundMs = 4;
const named = process.env.NOPEEK_BLAS;
const libraries = named === undefined ? usualLibraries(platform()) : [named];

type Size = readonly [rows: number, inner: number, columns: number];

if (process.argv[2] === "sizes") await compareSizes();
else if (process.argv[2] === "threads") await compareThreads(Number(process.argv[3] ?? 2));
else console.log("npx tsx scripts/bench/blas.ts sizes | threads [count]");

async function compareSizes(): Promise<void> {
  const sizes: readonly Size[] = [
    ...[4, 8, 12, 16, 24, 32, 48, 64].map((n) => [n, n, n] as const),
    ...[1, 2, 3, 4, 6, 8, 16].flatMap(
      (n) =>
        [
          [n, 128, 512],
          [n, 384, 1536],
        ] as const,
    ),
    ...([
      [384, 384, 1],
      [384, 384, 4],
      [16, 16, 64],
      [16, 64, 16],
      [256, 16, 16],
      [256, 16, 64],
    ] as const),
    ...([
      [768, 128, 128],
      [768, 128, 512],
      [768, 512, 128],
      [128, 768, 512],
      [1024, 384, 1536],
    ] as const),
  ];
  const wasm = await openBackend("wasm");
  const blas = await BlasBackend.open(await loadKernels(), {
    libraries,
    threads: 1,
    spawn: startThreads,
    minWork: 0,
  });
  console.log(`${"rows×inner×columns".padEnd(20)}     wasm     blas   blas/wasm      (${blas.library})`);
  for (const size of sizes) {
    const [ofWasm, ofBlas] = sideBySide([product(wasm, size), product(blas, size)]);
    const [first, second] = [ofWasm, ofBlas].map((ms) => (2 * size[0] * size[1] * size[2]) / ms / 1e6);
    const figures = [first, second].map((figure) => figure.toFixed(2).padStart(9)).join("");
    console.log(`${size.join("×").padEnd(20)}${figures}${(second / first).toFixed(2).padStart(9)}`);
  }
}

/** A sequence like the one inside a block: a product, a kernel that the pool divides, the next product. */
async function compareThreads(count: number): Promise<void> {
  const module = await loadKernels();
  const ours = await BlasBackend.open(module, { libraries, threads: count, spawn: startThreads });
  const library = await openLibrary(libraries);
  const { default: koffi } = await import("koffi");
  if (library === null) throw new Error("no BLAS library found");
  const setThreads = koffi.load(library.file).func("openblas_set_num_threads", "void", ["int"]);
  const heap = new Heap(undefined, count);
  const pool = await ThreadPool.start(count, module, heap, startThreads);
  const theirs = new WasmBackend(
    module,
    (kernels) => {
      const base = library.address(heap.memory);
      const whole = makeGemm(library.sgemm, base, heap.memory, kernels, { ...productWords }, 4096);
      // The library divides the product itself, so there is only one part.
      const gemm: typeof kernels.gemm = (parameters, _begin, _end, scratch) => {
        heap.parameterWords[productWords.partRows] = heap.parameterWords[productWords.rows];
        heap.parameterWords[productWords.partColumns] = heap.parameterWords[productWords.columns];
        whole(parameters, 0, 1, scratch);
      };
      return { ...pool.share(kernels), gemm };
    },
    heap,
    pool,
  );
  console.log(
    `${library.title}, ${count} threads: ms of four products with a GELU, a sum and a norm between them`,
  );
  console.log(`${"rows, channels".padEnd(20)}   the pool's   the library's   pool/library`);
  for (const [rows, channels] of [
    [768, 128],
    [1024, 384],
    [256, 64],
    [16, 16],
  ] as const) {
    const [first, second] = sideBySide([
      { prepare: () => setThreads(1), ...block(ours, rows, channels) },
      { prepare: () => setThreads(count), ...block(theirs, rows, channels) },
    ]);
    console.log(
      `${`${rows}, ${channels}`.padEnd(20)}${first.toFixed(3).padStart(13)}${second.toFixed(3).padStart(16)}${(first / second).toFixed(2).padStart(15)}`,
    );
  }
  await ours.close();
  await theirs.close();
}

interface Contender {
  readonly run: () => void;
  readonly prepare?: () => void;
}

function product(backend: Backend, [rows, inner, columns]: Size): Contender {
  const [a, b, c] = [
    noise(backend, rows * inner),
    noise(backend, inner * columns),
    noise(backend, rows * columns),
  ];
  const size = { batch: [], rows, inner, columns, accumulate: false, bias: null };
  const [cs, as, bs] = [byRow(c, columns), byRow(a, inner), byRow(b, columns)];
  return { run: () => backend.gemm(cs, as, bs, size) };
}

function block(backend: Backend, rows: number, channels: number): Contender {
  const wide = 4 * channels;
  const [x, y, mean, deviation] = [rows * channels, rows * channels, rows, rows].map((n) =>
    noise(backend, n),
  );
  const [h, g] = [noise(backend, rows * wide), noise(backend, rows * wide)];
  const [up, down, square] = [channels * wide, wide * channels, channels * channels].map((n) =>
    noise(backend, n),
  );
  const size = { batch: [], rows, accumulate: false, bias: null };
  const across = { ...size, inner: channels, columns: channels };
  return {
    run: () => {
      backend.normalizeRows(y, mean, deviation, x, null, null, rows, channels, 1e-5);
      backend.gemm(byRow(x, channels), byRow(y, channels), byRow(square, channels), across);
      backend.gemm(byRow(h, wide), byRow(x, channels), byRow(up, wide), { ...across, columns: wide });
      backend.unary("gelu", g, h);
      backend.gemm(byRow(y, channels), byRow(g, wide), byRow(down, channels), { ...across, inner: wide });
      backend.binary("add", { buffer: x, accumulate: false }, x, y);
      backend.gemm(byRow(y, channels), byRow(x, channels), byRow(square, channels), across);
    },
  };
}

function noise(backend: Backend, length: number) {
  const buffer = backend.alloc(length);
  backend.write(
    buffer,
    Float32Array.from({ length }, (_, i) => ((i * 7919) % 1009) / 10_090 - 0.05),
  );
  return buffer;
}

function byRow(buffer: ReturnType<Backend["alloc"]>, columns: number) {
  return { buffer, offset: 0, rowStride: columns, columnStride: 1, batchStrides: [] };
}

/** Milliseconds of one run of each. */
function sideBySide(contenders: readonly Contender[]): number[] {
  const repeats = contenders.map(({ prepare, run }) => {
    prepare?.();
    let count = 0;
    for (const startMs = performance.now(); performance.now() - startMs < 2 * roundMs; count++) run();
    return Math.max(1, count >> 1);
  });
  const times = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    contenders.forEach(({ prepare, run }, i) => {
      prepare?.();
      const startMs = performance.now();
      for (let k = 0; k < repeats[i]; k++) run();
      times[i].push((performance.now() - startMs) / repeats[i]);
    });
  }
  return times.map((all) => all.sort((x, y) => x - y)[all.length >> 1]);
}
