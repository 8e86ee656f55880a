/** Normal numbers drawn in stretches against seedrandom's Alea and the polar method, one number at a time. */
import alea from "seedrandom/lib/alea.js";
import { expect, test } from "vitest";
import { loadKernels } from "../../../../src/backend/open.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { log } from "../../../../src/math.ts";
import type { RandomState } from "../../../../src/random.ts";

const backend = new WasmBackend(await loadKernels());

type Generator = ReturnType<typeof alea>;

/** Marsaglia's polar method, as in Random.normal. */
function nextNormal(generator: Generator): number {
  for (;;) {
    const u = 2 * generator.double() - 1;
    const v = 2 * generator.double() - 1;
    const s = u * u + v * v;
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
  }
}

const generatorOf = (seed: string) => alea(seed, { state: true });

/** What the backend draws, and the state after it. Numbers beside the buffer must stay. */
async function draw(count: number, deviation: number, state: RandomState) {
  const [before, y, after] = [16, count, 16].map((length) => backend.alloc(length));
  for (const edge of [before, after]) backend.fill(edge, 7);
  const end = backend.fillNormal(y, deviation, state);
  const numbers = await backend.read(y);
  for (const edge of [before, after]) {
    expect((await backend.read(edge)).every((number) => number === 7)).toBe(true);
    backend.free(edge);
  }
  backend.free(y);
  return { numbers, end };
}

/** The place of the first number that differs; −1 if none does. */
function firstDifference(numbers: Float32Array, generator: Generator, deviation: number): number {
  return numbers.findIndex((number) => number !== Math.fround(deviation * nextNormal(generator)));
}

// A stretch of 4,096 points yields about 3,200 numbers; from 126,000 numbers on, stretches are longer. A few numbers often
// take several rounds.
test.each([0, 1, 2, 3, 4, 5, 199, 3150, 3151, 3300, 30_011, 125_999, 1_400_000])(
  "%d numbers have the bits of as many draws, and so has the state",
  async (count) => {
    const generator = generatorOf(`normal ${count}`);
    const { numbers, end } = await draw(count, 0.02, generator.state());
    expect(numbers).toHaveLength(count);
    expect(firstDifference(numbers, generator, 0.02)).toBe(-1);
    expect(end).toEqual(generator.state());
  },
);

test("numbers continue from a state between two points", async () => {
  const generator = generatorOf("odd");
  for (let i = 0; i < 7; i++) generator.int32();
  const { numbers, end } = await draw(10_001, 1, generator.state());
  expect(firstDifference(numbers, generator, 1)).toBe(-1);
  expect(alea("", { state: end }).double()).toBe(generator.double());
});

test("words at the ends of their range are as in seedrandom", async () => {
  const ends = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map((word) => word / 2 ** 32);
  for (const c of [0, 1, 2091638]) {
    for (const s0 of ends) {
      for (const s1 of ends) {
        for (const s2 of ends) {
          // From the lowest and the highest state, the generator repeats a point that is never accepted.
          if ([0, 2091638 + 3 * ends[4]].includes(c + s0 + s1 + s2)) continue;
          const state = { c, s0, s1, s2 };
          const generator = alea("", { state });
          const { numbers, end } = await draw(3, 1, state);
          expect(firstDifference(numbers, generator, 1), JSON.stringify(state)).toBe(-1);
          expect(end).toEqual(generator.state());
        }
      }
    }
  }
});

test("with deviation 0, all numbers are 0 and not −0", async () => {
  const { numbers } = await draw(11, 0, generatorOf("zero").state());
  expect(numbers).toEqual(new Float32Array(11));
});

test("a fill cannot be captured: a replay would draw the same numbers again", () => {
  const y = backend.alloc(8);
  expect(backend.capture(() => backend.fillNormal(y, 1, generatorOf("captured").state()))).toBeNull();
});
