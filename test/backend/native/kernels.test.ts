/** Every kernel of rows and elements in C writes the bits of the one in WebAssembly, and nothing else: random lengths, tails and numbers. */
import { describe, expect, it } from "vitest";
import { argumentTypes, kernelsOfRows } from "../../../src/backend/native/kernel-table.ts";
import { openNativeLibrary, VECTORS } from "../../../src/backend/native/library.js";
import { loadKernels } from "../../../src/backend/open.ts";
import { Heap } from "../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../src/backend/wasm/host/instance.ts";
import { argumentsOf, type KernelName } from "../../../src/backend/wasm/host/signatures.ts";
import { Random } from "../../../src/random.ts";
import { firstDifference, ifNative, nativeLibrary, noNative } from "../../support/native.ts";

const MOST_COLUMNS = 70;
const MOST_ROWS = 5;
const MOST_NUMBERS = MOST_COLUMNS * MOST_ROWS;
const TRIALS = 100;
/** A buffer for each address among the arguments, with room before and after it. */
const BUFFERS = 6;
const MARGIN = 16;
const LENGTH = MOST_NUMBERS + 2 * MARGIN;

const SPECIAL = [
  ...[0, -0, 1, -1, 2 ** -149, -1e-40, 2 ** -126, 1e-20, -3e19, 3.4e38, -3.4e38],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 16, -16, 104, -104, 88, -88],
];

function fill(numbers: Float32Array, random: Random): void {
  // Of zeros alone, the sign of the largest depends on the order.
  const scale = [1, 10, 100, 1e-38, 0][random.below(5)];
  const specials = random.below(3) * 8;
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] =
      random.below(100) < specials ? SPECIAL[random.below(SPECIAL.length)] : scale * random.normal();
  }
}

/** What the argument of a name may be, and how one is drawn, if it is no buffer. */
function drawArguments(kernel: KernelName, buffers: readonly Float32Array[], random: Random): number[] {
  const names = argumentsOf(kernel);
  const upTo = (most: number) => random.below(most + 1);
  const columns = upTo(MOST_COLUMNS);
  const half = 1 + upTo(16);
  const isOfRows = names.includes("columns") || names.includes("half");
  const limit = isOfRows ? MOST_ROWS : MOST_NUMBERS;
  const begin = random.below(3) === 0 ? upTo(limit) : 0;
  const end = begin + upTo(Math.min(limit - begin, MOST_COLUMNS));
  const known = new Map<string, number>([
    ...Object.entries({ begin, end, columns, half, groups: 1 + upTo(1) }),
    ...Object.entries({ key0: random.uint32(), key1: random.uint32(), threshold: random.uint32() }),
    ...Object.entries({
      factor: 1.25,
      epsilon: 1e-5,
      gradientScale: 0.7,
      stepSize: 0.01,
      rootCorrection2: 0.3,
    }),
    ...Object.entries({ beta1: 0.9, rest1: 1 - 0.9, beta2: 0.99, rest2: 1 - 0.99 }),
  ]);
  for (const flag of ["accumulate", "backwards"]) known.set(flag, upTo(1));
  const free = [...buffers];
  for (const name of names) {
    if (known.has(name)) continue;
    // In one of eight calls, results take the place of numbers.
    const inPlace = known.get({ x: random.below(2) === 0 ? "y" : "derivative", dy: "dx" }[name] ?? "");
    const buffer = free.pop();
    if (buffer === undefined) throw new RangeError("too few buffers");
    if (kernel === "adamw" && name === "targets") writeTargets(buffer, free, end, random);
    else if (name === "targets")
      buffer.forEach((_, i) => {
        buffer[i] = upTo(columns) - 1;
      });
    if (name === "positions")
      buffer.forEach((_, i) => {
        buffer[i] = random.below(MOST_NUMBERS / (2 * half));
      });
    known.set(
      name,
      inPlace !== undefined && random.below(8) === 0 ? inPlace : buffer.byteOffset + 4 * MARGIN,
    );
  }
  return names.map((name) => known.get(name) ?? 0);
}

/** A table of parameters for adamw that have `numbers` numbers together. */
function writeTargets(table: Float32Array, free: Float32Array[], numbers: number, random: Random): void {
  const words = new Int32Array(table.buffer, table.byteOffset, table.length);
  const buffers = free.splice(0, 4);
  for (let row = MARGIN, end = 0; end < numbers; row += 6) {
    const start = end;
    end = row < 100 ? Math.min(numbers, start + random.below(MOST_COLUMNS)) : numbers;
    words.set([...buffers.map(({ byteOffset }) => byteOffset + 4 * (MARGIN + start)), end], row);
    table[row + 5] = 0.999;
  }
}

describe.skipIf(noNative !== null)(`native kernels${ifNative}`, async () => {
  const heap = new Heap();
  const wasm = instantiate(await loadKernels(), heap.memory);
  const memory = heap.alloc(BUFFERS * LENGTH);
  const numbers = new Float32Array(heap.memory.buffer, memory.pointer, memory.length);
  const buffers = Array.from({ length: BUFFERS }, (_, i) => numbers.subarray(i * LENGTH, (i + 1) * LENGTH));

  describe.each(VECTORS)("with %s vectors", async (vectors) => {
    const native = await openNativeLibrary(nativeLibrary(), vectors, argumentTypes);

    it.each(kernelsOfRows)("%s", (kernel) => {
      for (let seed = 0; seed < TRIALS; seed++) {
        const random = Random.of(seed, kernel);
        fill(numbers, random);
        const args = drawArguments(kernel, buffers, random);
        const before = numbers.slice();
        Reflect.apply(wasm[kernel], undefined, args);
        const expected = numbers.slice();
        numbers.set(before);
        native.kernels[kernel](native.address(heap.memory), ...args);
        const wrong = firstDifference(expected, numbers);
        const words = `seed ${seed}, arguments ${args}: ${numbers[wrong]} instead of ${expected[wrong]} at ${wrong}`;
        expect(wrong, words).toBe(-1);
      }
    });
  });
});
