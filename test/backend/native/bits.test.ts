/** Native products have the bits of WebAssembly: sizes at the edges of blocks and tiles, special values, all layouts. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Backend, Buffer, Matrices } from "../../../src/backend/backend.ts";
import { VECTORS } from "../../../src/backend/native/library.js";
import { openBackend } from "../../../src/backend/open.ts";
import { Random } from "../../../src/random.ts";
import { firstDifference, ifNative, noNative, openNative } from "../../support/native.ts";

interface Trial {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly matrices: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly c: Float32Array;
  readonly bias: Float32Array;
  readonly transposedA: boolean;
  readonly transposedB: boolean;
  readonly transposedC: boolean;
  readonly startsFrom: number;
}

/** Just below, at and above the tiles, the blocks of rows (48 to 64), of sums (384) and of columns (512). */
const EDGES = [1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 33, 47, 48, 49, 59, 60, 61, 64, 65, 100];
/** Read in place, up to four rows at once. */
const FEW = [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13];
const LONG = [1, 2, 3, 17, 64, 383, 384, 385, 769];
const SPECIAL = [
  0,
  -0,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** -149,
  -1e-40,
  3.4e38,
  Number.NaN,
];

function drawTrial(seed: number): Trial {
  const random = Random.of(seed, "native products");
  const pick = <T>(values: readonly T[]) => values[random.below(values.length)];
  const flip = () => random.below(2) === 1;
  // Two of three products have few rows, and wide columns often.
  const [rows, inner] = [seed % 3 === 0 ? pick(FEW) : seed % 3 === 1 ? 1 : pick(EDGES), pick(LONG)];
  const columns = seed % 5 === 0 ? pick([127, 128, 129, 511, 512, 513, 600]) : pick(EDGES);
  const matrices = pick([1, 1, 2, 3]);
  const special = random.below(4) === 0;
  const numbers = (length: number) =>
    Float32Array.from({ length }, () =>
      special && random.below(40) === 0 ? pick(SPECIAL) : random.normal(),
    );
  return {
    ...{ rows, inner, columns, matrices, transposedA: flip(), transposedB: flip(), transposedC: flip() },
    ...{
      a: numbers(matrices * rows * inner),
      b: numbers(matrices * inner * columns),
      bias: numbers(columns),
    },
    ...{ c: numbers(matrices * rows * columns), startsFrom: random.below(3) },
  };
}

/** The bytes of C. */
async function product(backend: Backend, trial: Trial): Promise<Float32Array | Float64Array> {
  const { rows, inner, columns, matrices, startsFrom } = trial;
  const buffers: Buffer[] = [];
  const give = (numbers: Float32Array) => {
    const buffer = backend.alloc(numbers.length);
    backend.write(buffer, numbers);
    buffers.push(buffer);
    return buffer;
  };
  const matrix = (numbers: Float32Array, height: number, width: number, transposed: boolean): Matrices => ({
    ...{ buffer: give(numbers), offset: 0, batchStrides: [height * width] },
    ...(transposed ? { rowStride: 1, columnStride: height } : { rowStride: width, columnStride: 1 }),
  });
  const c = matrix(trial.c, rows, columns, trial.transposedC);
  const a = matrix(trial.a, rows, inner, trial.transposedA);
  const b = matrix(trial.b, inner, columns, trial.transposedB);
  const bias = startsFrom === 1 ? give(trial.bias) : null;
  backend.gemm(c, a, b, { batch: [matrices], rows, columns, inner, accumulate: startsFrom === 2, bias });
  const result = await backend.read(c.buffer);
  for (const buffer of buffers) backend.free(buffer);
  return result;
}

describe.skipIf(noNative !== null)(`native products${ifNative}`, () => {
  const trials = Array.from({ length: 60 }, (_, seed) => drawTrial(seed));
  const expected: (Float32Array | Float64Array)[] = [];
  beforeAll(async () => {
    const wasm = await openBackend("wasm");
    for (const trial of trials) expected.push(await product(wasm, trial));
    await wasm.close();
  });

  it.each(VECTORS.flatMap((vectors) => [1, 2].map((threads) => [vectors, threads] as const)))(
    "with %s on %i threads have the bits of wasm",
    async (vectors, threads) => {
      const native = await openNative(vectors, threads);
      try {
        for (const [seed, trial] of trials.entries()) {
          const actual = await product(native, trial);
          const wrong = firstDifference(expected[seed], actual);
          expect(wrong, `seed ${seed}: ${actual[wrong]} instead of ${expected[seed][wrong]}`).toBe(-1);
        }
      } finally {
        await native.close();
      }
    },
  );
});
