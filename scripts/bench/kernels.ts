/**
 * Times the kernels of the wasm backend at the sizes of a small model: `npx tsx scripts/bench/kernels.ts`. Prints
 * microseconds per call (the best of several runs), nanoseconds per element, and gigabytes per second read and
 * written.
 */
import type { Buffer, WriteTarget } from "../../src/backend/backend.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { Random } from "../../src/random.ts";

/** Time spent on each kernel. The best of its short runs counts, to exclude interference from other programs. */
const totalMs = 300;
const runMs = 0.5;

const backend = new WasmBackend(await loadKernels());
const random = Random.of(1, "bench");

function buffer(length: number, next = () => random.normal()): Buffer {
  const made = backend.alloc(length);
  backend.write(made, Float32Array.from({ length }, next));
  return made;
}

const into = (target: Buffer, accumulate = false): WriteTarget => ({ buffer: target, accumulate });

/** @param buffers numbers read or written per element */
function time(name: string, elements: number, buffers: number, call: () => void): void {
  let bestMs = Number.POSITIVE_INFINITY;
  const endMs = performance.now() + totalMs;
  while (performance.now() < endMs) {
    let calls = 0;
    const startMs = performance.now();
    let elapsedMs = 0;
    for (; elapsedMs < runMs; elapsedMs = performance.now() - startMs) {
      call();
      calls++;
    }
    bestMs = Math.min(bestMs, elapsedMs / calls);
  }
  const nsPerElement = (bestMs * 1e6) / elements;
  const cells = [
    name.padEnd(44),
    (bestMs * 1e3).toFixed(1).padStart(9),
    nsPerElement.toFixed(3).padStart(9),
    ((4 * buffers) / nsPerElement).toFixed(1).padStart(7),
  ];
  console.log(cells.join(" "));
}

console.log(`${"kernel".padEnd(44)} ${"µs".padStart(9)} ${"ns/elem".padStart(9)} ${"GB/s".padStart(7)}`);

const rows = 768;
for (const columns of [128, 512]) {
  const n = rows * columns;
  const size = `${rows} × ${columns}`;
  const [x, y, dy, dx] = [buffer(n), buffer(n), buffer(n), buffer(n)];
  const [weight, bias, dWeight, dBias] = [buffer(columns), buffer(columns), buffer(columns), buffer(columns)];
  const [mean, inverse] = [buffer(rows), buffer(rows)];
  for (const name of ["gelu", "gelu-tanh", "exp", "tanh", "log"] as const) {
    time(`unary ${name} ${size}`, n, 2, () => backend.unary(name, y, x));
  }
  for (const name of ["gelu", "gelu-tanh"] as const) {
    time(`unaryBackward ${name} ${size}`, n, 4, () => backend.unaryBackward(name, into(dx), dy, x, y));
  }
  time(`binary add ${size}`, n, 3, () => backend.binary("add", into(dx), x, dy));
  time(`binary add, accumulate ${size}`, n, 4, () => backend.binary("add", into(dx, true), x, dy));
  time(`dropout ${size}`, n, 2, () => {
    backend.dropout(into(y), x, { probability: 0.1, key: [1, 2] });
  });
  time(`sumAxis over rows ${size}`, n, 1, () => {
    backend.sumAxis(into(dBias, true), x, { outer: 1, axis: rows, inner: columns }, 1);
  });
  time(`sumAxis over columns ${size}`, n, 1, () => {
    backend.sumAxis(into(mean), x, { outer: rows, axis: columns, inner: 1 }, 1);
  });
  time(`normalizeRows ${size}`, n, 2, () => {
    backend.normalizeRows(y, mean, inverse, x, weight, bias, rows, columns, 1e-5);
  });
  time(`normalizeRowsBackward, dx ${size}`, n, 3, () => {
    backend.normalizeRowsBackward(into(dx), null, null, dy, x, weight, mean, inverse, rows, columns);
  });
  time(`normalizeRowsBackward, dWeight and dBias ${size}`, n, 2, () => {
    const [toWeight, toBias] = [into(dWeight, true), into(dBias, true)];
    backend.normalizeRowsBackward(null, toWeight, toBias, dy, x, weight, mean, inverse, rows, columns);
  });
  for (const one of [x, y, dy, dx]) backend.free(one);
}

for (const columns of [65, 256]) {
  const n = rows * columns;
  const size = `${rows} × ${columns}`;
  const [x, dx, loss] = [buffer(n), buffer(n), buffer(rows)];
  const statistics = { max: buffer(rows), sum: buffer(rows) };
  const targets = Float32Array.from({ length: rows }, () => random.below(columns));
  time(`crossEntropyRows ${size}`, n, 1, () =>
    backend.crossEntropyRows(loss, statistics, x, targets, rows, columns),
  );
  time(`crossEntropyRowsBackward ${size}`, n, 2, () => {
    backend.crossEntropyRowsBackward(into(dx), loss, x, statistics, targets, rows, columns);
  });
  time(`softmaxRows ${size}`, n, 2, () => {
    backend.softmaxRows(dx, x, { count: 1, rows, columns }, "full");
  });
}

{
  const [count, positions, width] = [48, 64, 32];
  const n = count * positions * positions;
  const [x, y, dy, dx] = [buffer(n), buffer(n), buffer(n), buffer(n)];
  const size = { count, rows: positions, columns: positions };
  time("softmaxRows causal 48 × 64 × 64", n, 2, () => backend.softmaxRows(y, x, size, "causal"));
  time("softmaxRowsBackward 48 × 64 × 64", n, 3, () => backend.softmaxRowsBackward(into(dx), dy, y, size));

  const [batch, heads] = [12, 4];
  const m = batch * positions * heads * width;
  const [from, to] = [buffer(m), buffer(m)];
  const shape = [batch, heads, positions, width];
  const split = [positions * heads * width, width, heads * width, 1];
  const joined = [heads * positions * width, positions * width, width, 1];
  const transposed = [heads * positions * width, positions * width, 1, positions];
  const copy = (strides: readonly number[]) => {
    backend.copy(
      { buffer: to, offset: 0, strides },
      { buffer: from, offset: 0, strides: split },
      shape,
      false,
    );
  };
  time("copy (B,T,H,D) to (B,H,T,D)", m, 2, () => copy(joined));
  time("copy (B,T,H,D) to (B,H,D,T)", m, 2, () => copy(transposed));
  time("copy contiguous", m, 2, () => copy(split));
}

{
  const [columns, vocabulary] = [128, 65];
  const n = rows * columns;
  const [table, y] = [buffer(vocabulary * columns), buffer(n)];
  const indices = Float32Array.from({ length: rows }, () => random.below(vocabulary));
  time("gatherRows 768 × 128", n, 2, () => backend.gatherRows(y, table, indices, rows, columns));
  time("scatterAddRows 768 × 128", n, 3, () => backend.scatterAddRows(table, y, indices, rows, columns));
}

{
  const n = 800_000;
  const [parameter, gradient, moment1] = [buffer(n), buffer(n), buffer(n)];
  const [moment2, total] = [buffer(n, () => random.uniform()), buffer(1)];
  const step = {
    ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
    ...{ correction1: 0.5, correction2: 0.1, gradientScale: 1 },
  };
  const targets = [{ parameter, gradient, moment1, moment2, weightDecay: 0.1 }];
  time("adamw 800 000", n, 7, () => backend.adamw(targets, step));
  time("sumsOfSquares 800 000", n, 1, () => backend.sumsOfSquares(total, [gradient]));
}
