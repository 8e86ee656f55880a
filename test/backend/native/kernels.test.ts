/** Every kernel in C writes the bits of the one in WebAssembly, and nothing else: random lengths, tails and numbers. */
import { describe, expect, it } from "vitest";
import { argumentTypes, nativeKernels } from "../../../src/backend/native/kernel-table.ts";
import { openNativeLibrary, VECTORS } from "../../../src/backend/native/library.js";
import { loadKernels } from "../../../src/backend/open.ts";
import { Heap, type WasmBuffer } from "../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../src/backend/wasm/host/instance.ts";
import { argumentsOf, type KernelName } from "../../../src/backend/wasm/host/signatures.ts";
import { Random } from "../../../src/random.ts";
import { ifNative, nativeLibrary, noNative } from "../../support/native.ts";

const MOST_COLUMNS = 70;
const MOST_ROWS = 5;
const TRIALS = 100;
/** A buffer for each address among the arguments, with room before and after it. */
const BUFFERS = 6;
const MARGIN = 16;
const LENGTH = MOST_COLUMNS * MOST_ROWS + 2 * MARGIN;

const SPECIAL = [
  ...[0, -0, 1, -1, 2 ** -149, -1e-40, 2 ** -126, 1e-20, -3e19, 3.4e38, -3.4e38],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 16, -16, 104, -104, 88, -88],
];

/** Kernels whose arguments are more than buffers, lengths and flags have separate tests. */
const others: ReadonlySet<KernelName> = new Set(["gemm", "attention", "attentionBackward"]);
const kernels = nativeKernels.filter((name) => !others.has(name));

function fill(numbers: Float32Array, random: Random): void {
  const scale = [1, 10, 100, 1e-38][random.below(4)];
  const specials = random.below(3) * 8;
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] =
      random.below(100) < specials ? SPECIAL[random.below(SPECIAL.length)] : scale * random.normal();
  }
}

/** Arguments by their names: a range of elements or rows, flags, and for the rest a buffer. */
function drawArguments(kernel: KernelName, memory: WasmBuffer, random: Random): number[] {
  const names = argumentsOf(kernel);
  const limit = names.includes("columns") ? MOST_ROWS : MOST_COLUMNS * MOST_ROWS;
  const begin = random.below(3) === 0 ? random.below(limit) : 0;
  const end = begin + random.below(Math.min(limit - begin, MOST_COLUMNS) + 1);
  let buffer = 0;
  const draw = (name: string): number => {
    if (name === "begin") return begin;
    if (name === "end") return end;
    if (name === "accumulate") return random.below(2);
    // In one of eight calls, the buffer of the argument before: results in place of numbers.
    if (buffer === 0 || random.below(8) !== 0) buffer++;
    return memory.pointer + 4 * (LENGTH * (buffer - 1) + MARGIN);
  };
  return names.map(draw);
}

describe.skipIf(noNative !== null)(`native kernels${ifNative}`, async () => {
  const heap = new Heap();
  const wasm = instantiate(await loadKernels(), heap.memory);
  const memory = heap.alloc(BUFFERS * LENGTH);
  const numbers = new Float32Array(heap.memory.buffer, memory.pointer, memory.length);

  describe.each(VECTORS)("with %s vectors", async (vectors) => {
    const native = await openNativeLibrary(nativeLibrary(), vectors, argumentTypes);

    it.each(kernels)("%s", (kernel) => {
      for (let seed = 0; seed < TRIALS; seed++) {
        const random = Random.of(seed, kernel);
        fill(numbers, random);
        const before = numbers.slice();
        const args = drawArguments(kernel, memory, random);
        Reflect.apply(wasm[kernel], undefined, args);
        const expected = numbers.slice();
        numbers.set(before);
        native.kernels[kernel](native.address(heap.memory), ...args);
        // NaN is NaN: its payload may differ.
        const wrong = expected.findIndex((number, i) => !Object.is(number, numbers[i]));
        const words = `seed ${seed}, arguments ${args}: ${numbers[wrong]} instead of ${expected[wrong]} at ${wrong}`;
        expect(wrong, words).toBe(-1);
      }
    });
  });
});
