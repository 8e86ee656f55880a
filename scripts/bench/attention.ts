/**
 * Times the fused attention of the wasm backend on one thread: `npx tsx scripts/bench/attention.ts`.
 *
 * Heads are strided views of (positions, channels) matrices, as in the model, and the mask is causal. Each figure is
 * the best of many runs, to exclude interference from other programs. Forward takes 4 operations per visible pair and
 * channel, backward 10. Decoding (one row against a cache) is measured in bytes of k and v.
 */
import type { AttentionSize, Matrices } from "../../src/backend/backend.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { attention, attentionBackward } from "../../src/backend/wasm/host/attention.ts";
import { Heap } from "../../src/backend/wasm/host/heap.ts";
import { HostArrays } from "../../src/backend/wasm/host/host-arrays.ts";
import { instantiate } from "../../src/backend/wasm/host/instance.ts";
import { Random } from "../../src/random.ts";

/** [batch, heads, rows, columns, width] */
const training = [
  [12, 4, 64, 64, 32],
  [8, 6, 64, 64, 32],
  [8, 6, 64, 64, 16],
  [8, 4, 128, 128, 32],
  [2, 6, 256, 256, 64],
  [1, 4, 1024, 1024, 64],
];
const decoding = [
  [1, 4, 1, 64, 32],
  [1, 6, 1, 256, 64],
  [1, 6, 1, 1024, 64],
];
const totalMs = 500;

const heap = new Heap();
const hostArrays = new HostArrays(heap);
const kernels = instantiate(await loadKernels(), heap.memory);
const random = Random.of(1, "bench");
const dropping = { probability: 0.1, key: [1, 2] } as const;

for (const sizes of training) {
  for (const drops of [null, dropping]) {
    const { size, forward, backward } = prepare(sizes, drops);
    const name = `${sizes.join(" × ")}${drops === null ? "" : ", dropping"}`;
    console.log(
      `${name.padEnd(36)}${speed("forward", forward, 4, size)}${speed("backward", backward, 10, size)}`,
    );
  }
}
for (const sizes of decoding) {
  const { size, forward } = prepare(sizes, null);
  const ms = bestMs(forward);
  const bytes = 8 * size.batch[0] * size.batch[1] * size.columns * size.width;
  console.log(
    `${sizes.join(" × ").padEnd(36)}decoding ${(1000 * ms).toFixed(1)} µs, ${(bytes / ms / 1e6).toFixed(1)} GB/s`,
  );
}

function prepare(sizes: readonly number[], drops: typeof dropping | null) {
  const [batch, heads, rows, columns, width] = sizes;
  const size: AttentionSize = {
    batch: [batch, heads],
    rows,
    columns,
    width,
    scale: 1 / Math.sqrt(width),
    mask: "causal",
    dropping: drops,
  };
  const noise = (positions: number): Matrices => {
    const channels = heads * width;
    const buffer = heap.alloc(batch * positions * channels);
    const first = buffer.pointer / 4;
    heap.floats.subarray(first, first + buffer.length).forEach((_, i, numbers) => {
      numbers[i] = random.normal();
    });
    const batchStrides = [positions * channels, width];
    return { buffer, offset: 0, rowStride: channels, columnStride: 1, batchStrides };
  };
  const [q, y, dq, dy] = [rows, rows, rows, rows].map(noise);
  const [k, v, dk, dv] = [columns, columns, columns, columns].map(noise);
  const statistics = { max: heap.alloc(batch * heads * rows), sum: heap.alloc(batch * heads * rows) };
  const replace = { dq: false, dk: false, dv: false };
  return {
    size,
    forward: () => attention(heap, hostArrays, kernels, y, statistics, q, k, v, size),
    backward: () =>
      attentionBackward(heap, hostArrays, kernels, dq, dk, dv, dy, y, statistics, q, k, v, size, replace),
  };
}

function speed(
  name: string,
  run: () => void,
  perPair: number,
  { batch, rows, columns, width }: AttentionSize,
): string {
  const pairs = batch[0] * batch[1] * (rows * columns - (rows * (rows - 1)) / 2);
  const ms = bestMs(run);
  const gigaflops = (perPair * pairs * width) / ms / 1e6;
  return `${name} ${ms.toFixed(3)} ms, ${gigaflops.toFixed(1)} GFLOP/s   `;
}

function bestMs(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (const endMs = performance.now() + totalMs; performance.now() < endMs; ) {
    const startMs = performance.now();
    run();
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}
