/** The errors stated in kernels/math.ts, measured against double precision. */
import { describe, expect, it } from "vitest";
import type { Backend, Buffer } from "../../../../src/backend/backend.ts";
import { loadKernels } from "../../../../src/backend/open.ts";
import { ReferenceBackend } from "../../../../src/backend/reference/reference-backend.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";

const wasm = new WasmBackend(await loadKernels());
const reference = new ReferenceBackend("double");
const count = 2 ** 16;
const smallestNormal = 2 ** -126;

type Kernel = (backend: Backend, y: Buffer, x: Buffer) => void;

/** e^x by the kernel of softmax and related functions: a gradient of cross-entropy off the target. */
const expOfNegative: Kernel = (backend, y, x) => {
  const [zero, one] = [backend.alloc(1), backend.alloc(1)];
  backend.fill(zero, 0);
  backend.fill(one, 1);
  const [target, statistics] = [
    { buffer: y, accumulate: false },
    { max: zero, sum: one },
  ];
  backend.crossEntropyRowsBackward(target, one, x, statistics, [0], 1, x.length);
};

async function evaluate(backend: Backend, kernel: Kernel, xs: Float32Array): Promise<ArrayLike<number>> {
  const [x, y] = [backend.alloc(xs.length), backend.alloc(xs.length)];
  backend.write(x, xs);
  kernel(backend, y, x);
  return backend.read(y);
}

/** The maximum error in units in the last place, ignoring results below the smallest normal number. */
async function worst(kernel: Kernel, xs: Float32Array): Promise<number> {
  const [actual, truth] = [await evaluate(wasm, kernel, xs), await evaluate(reference, kernel, xs)];
  let most = 0;
  // In `expOfNegative`, element 0 is the target.
  for (let i = 1; i < xs.length; i++) {
    if (Math.abs(truth[i]) < smallestNormal) continue;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(truth[i]))) - 23);
    const error = Math.abs(actual[i] - truth[i]) / unit;
    if (!(error <= most)) most = error;
  }
  return most;
}

const between = (low: number, high: number) =>
  Float32Array.from({ length: count }, (_, i) => low + ((high - low) * (i + 0.37)) / count);
const acrossMagnitudes = (low: number, high: number) =>
  Float32Array.from({ length: count }, (_, i) => low * (high / low) ** ((i + 0.37) / count));

describe("kernels/math.ts", () => {
  const exp: Kernel = (backend, y, x) => backend.unary("exp", y, x);
  const log: Kernel = (backend, y, x) => backend.unary("log", y, x);
  const tanh: Kernel = (backend, y, x) => backend.unary("tanh", y, x);
  const gelu: Kernel = (backend, y, x) => backend.unary("gelu", y, x);

  const stated: [name: string, kernel: Kernel, xs: Float32Array, ulps: number][] = [
    ["exp over its range", exp, between(-87, 88.7), 0.96],
    ["exp near 0", exp, between(-1, 1), 0.96],
    ["exp of tiny numbers", exp, acrossMagnitudes(1e-30, 1), 0.96],
    ["expOfNegative over its range", expOfNegative, between(-87, 0), 0.96],
    ["expOfNegative near 0", expOfNegative, between(-1, 0), 0.96],
    ["log over its range", log, acrossMagnitudes(1e-38, 3e38), 0.84],
    ["log near 1", log, between(0.5, 2), 0.84],
    ["log of subnormal numbers", log, acrossMagnitudes(1e-44, 1e-38), 0.84],
    ["tanh across magnitudes", tanh, acrossMagnitudes(1e-30, 20), 1.6],
    ["tanh of negative numbers", tanh, between(-3, 0), 1.6],
    ["Φ's left tail, in GELU", gelu, between(-12.5, -1), 6.1],
    ["Φ about 0, in GELU", gelu, between(-1, 6), 6.1],
  ];
  for (const [name, kernel, xs, ulps] of stated) {
    it(`${name}: ${ulps} ulp`, async () => {
      const error = await worst(kernel, xs);
      expect(error).toBeLessThanOrEqual(ulps);
      expect(error, "the stated error is too large").toBeGreaterThan(ulps / 2);
    });
  }

  it("exp underflows gradually, expOfNegative abruptly", async () => {
    const xs = Float32Array.of(0, -87.3, -95, -103, -104, -1e9);
    const gradual = await evaluate(wasm, exp, xs);
    const truth = await evaluate(reference, exp, xs);
    // Half of the smallest number, twice: the power is rounded before it is scaled.
    for (let i = 0; i < xs.length; i++)
      expect(Math.abs(gradual[i] - truth[i])).toBeLessThanOrEqual(2 ** -149);
    expect(gradual[2]).toBeGreaterThan(0);
    expect(Array.from(gradual).slice(4)).toEqual([0, 0]);
    const atOnce = await evaluate(wasm, expOfNegative, xs);
    expect(Array.from(atOnce).slice(2)).toEqual([0, 0, 0, 0]);
  });
});
