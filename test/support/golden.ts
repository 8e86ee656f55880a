/** Golden files from PyTorch (scripts/golden/pytorch/make.py), and the error of a result compared with them. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import * as z from "zod";
import type { Backend } from "../../src/backend/backend.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";

/**
 * The backends to compare, and their maximum relative errors. PyTorch computes in double precision from numbers that
 * are exact in single precision, so the error is nopeek's alone.
 */
export const PRECISIONS: readonly {
  readonly where: string;
  readonly open: () => Backend | Promise<Backend>;
  readonly tolerance: number;
}[] = [
  {
    where: "the reference in double precision",
    open: () => new ReferenceBackend("double"),
    tolerance: 1e-12,
  },
  { where: "wasm", open: async () => new WasmBackend(await loadKernels()), tolerance: 1e-5 },
];

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

const shape = z.array(z.int().min(0));

/** A tensor in a golden file: little-endian numbers in base64. */
export const goldenTensor = z.union([
  z
    .strictObject({ shape, float32: z.base64() })
    .transform(({ shape, float32 }) => checked(shape, new Float32Array(bytesOf(float32)))),
  z
    .strictObject({ shape, float64: z.base64() })
    .transform(({ shape, float64 }) => checked(shape, new Float64Array(bytesOf(float64)))),
]);

/** Tensors by name. */
export const goldenTensors = z.record(z.string(), goldenTensor);

/** The content of test/golden/pytorch/NAME.json. */
export function readGolden<T extends z.ZodType>(name: string, layout: T): z.output<T> {
  const url = new URL(`../golden/pytorch/${name}.json`, import.meta.url);
  return layout.parse(JSON.parse(readFileSync(url, "utf8")));
}

/** Copies the golden weights into parameters, which must have the same names and shapes. */
export function load(parameters: NamedTensors, weights: Readonly<Record<string, GoldenTensor>>): void {
  expect(shapesOf(parameters)).toEqual(shapesOf(weights));
  for (const [name, { values }] of Object.entries(weights)) {
    const { context, buffer } = parameters[name];
    context.backend.write(buffer, values);
  }
}

/**
 * The error of numbers compared with the golden ones, the larger of two measures:
 *
 *   max |a − e| / max |e|          each element, relative to the largest of its tensor
 *   ‖a − e‖ / ‖e‖                  the whole tensor
 *
 * @param floor the minimum denominator, for a tensor that contains only rounding errors; 1 if all numbers are 0
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 0): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const difference = Float64Array.from(actual, (a, i) => a - expected[i]);
  const scale = (size: number) => Math.max(size, floor) || 1;
  const error = Math.max(
    greatest(difference) / scale(greatest(expected)),
    Math.hypot(...difference) / scale(Math.hypot(...Array.from(expected))),
  );
  // NaN counts as the largest error; no comparison would detect it.
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** The largest magnitude; NaN if any number is NaN. */
export function greatest(values: ArrayLike<number>): number {
  return Math.max(0, ...Array.from(values, Math.abs));
}

function shapesOf(tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>) {
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
}

function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, "base64")).buffer;
}

function checked(shape: readonly number[], numbers: ArrayLike<number>): GoldenTensor {
  const values = Float64Array.from(numbers);
  expect(
    shape.reduce((size, length) => size * length, 1),
    "numbers in a golden tensor",
  ).toBe(values.length);
  return { shape, values };
}
