/**
 * Whether this engine can run kernels-fast.wasm, which is compiled with relaxed SIMD: it must support the instructions,
 * and compute them correctly. Some engines have had them behind a flag, and some of those incorrectly.
 */
import { tanh } from "../../../math.ts";
import type { Matrices } from "../../backend.ts";
import { gemm } from "./gemm.ts";
import { Heap, type WasmBuffer } from "./heap.ts";
import { instantiate } from "./instance.ts";
import type { KernelExports } from "./signatures.ts";

/** A module with one function, without arguments or results, that uses `f32x4.relaxed_madd` (0xfd, 0x105). */
// biome-ignore format: a section a line: preamble, type, function, code.
const relaxedMultiplyAdd = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 4, 1, 0x60, 0, 0,
  3, 2, 1, 0,
  10, 20, 1, 18, 0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 2, 0x1a, 0x0b,
);

export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedMultiplyAdd);
}

/** Sizes that cover whole tiles, partial tiles and, one row at a time, the path for few rows. */
const [ROWS, INNER, COLUMNS] = [5, 43, 37];
/** Relative to the sum of magnitudes: the largest error of 43 roundings to 24 bits. */
const TOLERANCE = 43 / 0x1000000;
/** For tanh, which is accurate to two units in the last place and uses the kernels' exp. */
const TANH_TOLERANCE = 1 / 0x400000;

/**
 * Runs kernels of the module on inputs with known results.
 *
 * @returns the failure, or null if all results are correct
 */
export function failedSelfTest(module: WebAssembly.Module): string | null {
  const heap = new Heap(0x1000000);
  const kernels = instantiate(module, heap.memory);
  return wrongProduct(heap, kernels) ?? wrongTanh(heap, kernels);
}

function wrongProduct(heap: Heap, kernels: KernelExports): string | null {
  const [a, b] = [numbers(heap, ROWS * INNER, 1), numbers(heap, INNER * COLUMNS, 2)];
  const [whole, alone] = [heap.alloc(ROWS * COLUMNS), heap.alloc(ROWS * COLUMNS)];
  const size = { batch: [], inner: INNER, columns: COLUMNS, accumulate: false, bias: null };
  gemm(heap, kernels, matrix(whole, COLUMNS), matrix(a, INNER), matrix(b, COLUMNS), { ...size, rows: ROWS });
  for (let row = 0; row < ROWS; row++) {
    const [to, from] = [matrix(alone, COLUMNS, row * COLUMNS), matrix(a, INNER, row * INNER)];
    gemm(heap, kernels, to, from, matrix(b, COLUMNS), { ...size, rows: 1 });
  }
  const [x, y, found, again] = [a, b, whole, alone].map((buffer) => valuesOf(heap, buffer));
  for (let i = 0; i < ROWS; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      let [sum, magnitude] = [0, 0];
      for (let k = 0; k < INNER; k++) {
        const product = x[i * INNER + k] * y[k * COLUMNS + j];
        sum += product;
        magnitude += Math.abs(product);
      }
      const at = i * COLUMNS + j;
      if (!(Math.abs(found[at] - sum) <= TOLERANCE * magnitude)) return "a product is wrong";
      if (found[at] !== again[at]) return "a row computed alone has different bits";
    }
  }
  return null;
}

function wrongTanh(heap: Heap, kernels: KernelExports): string | null {
  const x = numbers(heap, INNER * COLUMNS, 3);
  const y = heap.alloc(x.length);
  kernels.unaryTanh(y.pointer, x.pointer, 0, x.length);
  const found = valuesOf(heap, y);
  const isRight = (value: number, i: number) => Math.abs(found[i] - tanh(value)) <= TANH_TOLERANCE;
  return valuesOf(heap, x).every(isRight) ? null : "tanh is wrong";
}

/** Numbers in −4 … 4 that use all 24 bits of precision. */
function numbers(heap: Heap, length: number, seed: number): WasmBuffer {
  const buffer = heap.alloc(length);
  valuesOf(heap, buffer).forEach((_, i, values) => {
    values[i] = Math.imul(i + 1, 0x9e3779b1 * seed) / 0x20000000;
  });
  return buffer;
}

function valuesOf(heap: Heap, { pointer, length }: WasmBuffer): Float32Array {
  return heap.floats.subarray(pointer / 4, pointer / 4 + length);
}

function matrix(buffer: WasmBuffer, width: number, offset = 0): Matrices {
  return { buffer, offset, rowStride: width, columnStride: 1, batchStrides: [] };
}
