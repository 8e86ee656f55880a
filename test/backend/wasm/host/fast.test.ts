/**
 * `--fast`: the same kernels with relaxed SIMD, if the engine supports it; never wrong numbers, never a silent
 * fallback.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Buffer } from "../../../../src/backend/backend.ts";
import { loadKernels, openBackend } from "../../../../src/backend/open.ts";
import { hasRelaxedSimd, whatIsWrong } from "../../../../src/backend/wasm/host/fast.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { ConfigError } from "../../../../src/errors.ts";
import { Random } from "../../../../src/random.ts";
import { fastKernels, ifFast } from "../../../support/fast.ts";
import { conformance, singlePrecision } from "../../conformance.ts";

/** Sums run in the order of the contract, but products are not rounded separately. */
const unrounded = { ...singlePrecision, ordered: false };
const module = fastKernels;
if (module === null) {
  it.skip(`conforms${ifFast}`, () => {});
} else {
  conformance(
    "wasm, fast",
    async () => new WasmBackend(module, undefined, undefined, null, false),
    unrounded,
  );
  conformance("wasm, fast, on 3 threads", () => openBackend("wasm", 3, null, { fast: true }), unrounded);
}

it("detects relaxed SIMD, as the engine's version implies", () => {
  const [major] = process.versions.node.split(".").map(Number);
  expect(hasRelaxedSimd()).toBe(major >= 22);
});

it("opens the kernels that the engine can run, and reports which", async () => {
  const said: string[] = [];
  const backend = await openBackend("wasm", 1, null, { fast: true, say: (sentence) => said.push(sentence) });
  expect(backend.exact).toBe(!hasRelaxedSimd());
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(
    hasRelaxedSimd() ? "other bits on another" : "the standard kernels compute instead",
  );
  await backend.close();
});

it("is rejected for other backends than wasm", async () => {
  await expect(openBackend("blas", 1, null, { fast: true })).rejects.toThrow(ConfigError);
  await expect(openBackend("reference", 1, null, { fast: true })).rejects.toThrow(ConfigError);
});

describe("the numeric self-test", () => {
  it("accepts correct engines, which round once or twice", async () => {
    expect(whatIsWrong(await loadKernels())).toBeNull();
    if (fastKernels !== null) expect(whatIsWrong(fastKernels)).toBeNull();
  });

  it.each([
    ["subtracts", 0xe5],
    ["multiplies", 0xe6],
    ["takes the maximum", 0xe9],
  ])("detects an engine that %s instead of adding", async (_, operation) => {
    expect(whatIsWrong(await WebAssembly.compile(sabotaged(operation)))).toMatch(/wrong/);
  });
});

it.skipIf(fastKernels === null)(`rounds once if the machine can${ifFast}`, async () => {
  if (fastKernels === null) return;
  // (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴. The last part is lost if the product is rounded before 1 is subtracted.
  const near = 1 + 2 ** -12;
  const sums = [];
  for (const module of [await loadKernels(), fastKernels]) {
    const backend = new WasmBackend(module);
    const [a, c] = [backend.alloc(1), backend.alloc(1)];
    backend.write(a, [near]);
    backend.write(c, [-1]);
    const one = { offset: 0, rowStride: 1, columnStride: 1, batchStrides: [] };
    const size = { batch: [], rows: 1, columns: 1, inner: 1, accumulate: true, bias: null };
    backend.gemm({ ...one, buffer: c }, { ...one, buffer: a }, { ...one, buffer: a }, size);
    sums.push((await backend.read(c))[0]);
  }
  expect(sums).toEqual([2 ** -11, 2 ** -11 + 2 ** -24]);
});

it.skipIf(fastKernels === null)(`a row has the same bits alone as among others${ifFast}`, async () => {
  if (fastKernels === null) return;
  const backend = new WasmBackend(fastKernels);
  const random = Random.of(1, "rows");
  const [rows, inner, columns] = [19, 83, 43];
  const numbers = (length: number) => {
    const buffer = backend.alloc(length);
    backend.write(
      buffer,
      Float32Array.from({ length }, () => random.normal()),
    );
    return buffer;
  };
  const [a, b, whole, alone] = [rows * inner, inner * columns, rows * columns, rows * columns].map(numbers);
  const at = (buffer: Buffer, rowStride: number, columnStride: number, offset = 0) => {
    return { buffer, offset, rowStride, columnStride, batchStrides: [] };
  };
  const size = { batch: [], inner, columns, accumulate: false, bias: null };
  for (const [rowStride, columnStride] of [
    [columns, 1],
    [1, inner],
  ]) {
    const right = at(b, rowStride, columnStride);
    backend.gemm(at(whole, columns, 1), at(a, inner, 1), right, { ...size, rows });
    for (let row = 0; row < rows; row++) {
      const [to, from] = [at(alone, columns, 1, row * columns), at(a, inner, 1, row * inner)];
      backend.gemm(to, from, right, { ...size, rows: 1 });
    }
    expect(await backend.read(alone)).toEqual(await backend.read(whole));
  }
});

/** The usual module with every `f32x4.add` (0xfd 0xe4 0x01) replaced by another operation. */
function sabotaged(operation: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(
    readFileSync(new URL("../../../../src/backend/wasm/kernels.wasm", import.meta.url)),
  );
  for (let i = 2; i < bytes.length; i++) {
    if (bytes[i - 2] === 0xfd && bytes[i - 1] === 0xe4 && bytes[i] === 1) bytes[i - 1] = operation;
  }
  return bytes;
}
