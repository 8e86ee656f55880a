/** Native attention has the bits of WebAssembly: sizes at the edges of strips and slices, all masks, special values. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AttentionSize, Backend, Buffer, Matrices } from "../../../src/backend/backend.ts";
import { VECTORS } from "../../../src/backend/native/library.js";
import { openBackend } from "../../../src/backend/open.ts";
import { Random } from "../../../src/random.ts";
import { firstDifference, ifNative, noNative, openNative } from "../../support/native.ts";

const NAMES = ["dq", "dk", "dv", "dy", "y", "q", "k", "v"] as const;
type Name = (typeof NAMES)[number];
const IN_COLUMNS: readonly Name[] = ["dk", "dv", "k", "v"];

interface Trial {
  readonly size: AttentionSize;
  readonly numbers: Readonly<Record<Name, Float32Array>>;
  readonly accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean };
}

/** Around the strips of 4, 8 and 16 rows, and around the columns that are computed together. */
const ROWS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 50];
/** Multiples of each vector, and widths that leave a slice of four, two or three of them. */
const WIDTHS = [4, 8, 12, 16, 20, 24, 28, 32, 48];
const SPECIAL = [
  ...[0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  ...[2 ** -149, -1e-40, 3e38, -3e38, 100, -100],
];

/** With a single row: more matrices than are computed together, and columns around the blocks of 64. */
const ROW_BATCHES = [[4], [5], [9], [2, 7], [3, 4], [1, 6], [2, 2, 3]];
const ROW_COLUMNS = [1, 2, 3, 4, 5, 15, 16, 63, 64, 65, 66, 130, 257];

function drawTrial(seed: number, hasOneRow: boolean): Trial {
  const random = Random.of(seed, hasOneRow ? "native attention of one row" : "native attention");
  const pick = <T>(values: readonly T[]) => values[random.below(values.length)];
  const flip = () => random.below(2) === 1;
  const batch = pick(hasOneRow ? ROW_BATCHES : [[1], [3], [2, 2]]);
  const rows = hasOneRow ? 1 : pick(ROWS);
  const columns = hasOneRow ? pick(ROW_COLUMNS) : rows + pick([0, 0, 1, 2, 3, 5, 17]);
  const width = pick(WIDTHS);
  const range = () => ({
    start: random.below(columns + 1),
    end: random.below(columns + 1),
    diagonal: random.below(2 * columns) - columns,
  });
  const mask = pick<() => AttentionSize["mask"]>([
    () => "causal",
    () => "full",
    () => Array.from({ length: batch[0] }, range),
  ])();
  const dropping =
    flip() && !(hasOneRow && flip()) ? { probability: 0.3, key: [seed, ~seed] as const } : null;
  const rare = pick([0, 0, 60, 500]);
  const draw = (name: Name) => {
    const length = batch.reduce((a, b) => a * b, 1) * (IN_COLUMNS.includes(name) ? columns : rows) * width;
    return Float32Array.from({ length }, () =>
      rare > 0 && random.below(rare) === 0 ? pick(SPECIAL) : random.normal(),
    );
  };
  const [dq, dk, dv, dy, y, q, k, v] = NAMES.map(draw);
  return {
    size: { batch, rows, columns, width, scale: width ** -0.5, mask, dropping },
    numbers: { dq, dk, dv, dy, y, q, k, v },
    accumulate: { dq: flip(), dk: flip(), dv: flip() },
  };
}

/** The results of both kernels: the statistics, y, and the three gradients. */
async function attend(backend: Backend, { size, numbers, accumulate }: Trial): Promise<number[]> {
  const { batch, rows, columns, width } = size;
  const matrices = batch.reduce((a, b) => a * b, 1);
  const give = (name: Name): Matrices => {
    const buffer = backend.alloc(numbers[name].length);
    backend.write(buffer, numbers[name]);
    const height = IN_COLUMNS.includes(name) ? columns : rows;
    const batchStrides = batch.map((_, axis) =>
      batch.slice(axis + 1).reduce((a, b) => a * b, height * width),
    );
    return { buffer, offset: 0, rowStride: width, columnStride: 1, batchStrides };
  };
  const [dq, dk, dv, dy, y, q, k, v] = NAMES.map(give);
  const statistics = { max: backend.alloc(matrices * rows), sum: backend.alloc(matrices * rows) };
  backend.attention(y, statistics, q, k, v, size);
  backend.attentionBackward(dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate);
  const results: Buffer[] = [statistics.max, statistics.sum, ...[y, dq, dk, dv].map(({ buffer }) => buffer)];
  const read: number[] = [];
  for (const result of results) read.push(...(await backend.read(result)));
  for (const buffer of [...results, ...[dy, q, k, v].map(({ buffer }) => buffer)]) backend.free(buffer);
  return read;
}

describe.skipIf(noNative !== null)(`native attention${ifNative}`, () => {
  const trials = Array.from({ length: 120 }, (_, seed) => drawTrial(seed, seed >= 80));
  const expected: number[][] = [];
  beforeAll(async () => {
    const wasm = await openBackend("wasm");
    for (const trial of trials) expected.push(await attend(wasm, trial));
    await wasm.close();
  });

  it.each(VECTORS)("with %s has the bits of wasm", async (vectors) => {
    const native = await openNative(vectors);
    try {
      for (const [seed, trial] of trials.entries()) {
        const actual = await attend(native, trial);
        const wrong = firstDifference(expected[seed], actual);
        expect(wrong, `seed ${seed}: ${actual[wrong]} instead of ${expected[seed][wrong]}`).toBe(-1);
      }
    } finally {
      await native.close();
    }
  });
});
