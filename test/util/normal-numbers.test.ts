/** Normal numbers drawn in blocks against seedrandom's Alea and the polar method, one number at a time. */
import alea from "seedrandom/lib/alea.js";
import { expect, test } from "vitest";
import { log } from "../../src/math.ts";
import { fillNormal } from "../../src/util/normal-numbers.ts";

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

// Blocks have 1,024 numbers.
test.each([0, 1, 2, 1023, 1024, 1025, 2048, 30_011])(
  "%d numbers have the bits of as many draws, and so has the state",
  (count) => {
    const generator = generatorOf(`normal ${count}`);
    const start = generator.state();
    const expected = Float64Array.from({ length: count }, () => 0.02 * nextNormal(generator));
    const numbers = new Float64Array(count);
    const end = fillNormal(numbers, 0.02, start);
    expect(numbers).toEqual(expected);
    expect(end).toEqual(generator.state());
    const single = new Float32Array(count);
    fillNormal(single, 0.02, start);
    expect(single).toEqual(Float32Array.from(expected));
  },
);

test("numbers continue from a state between two points", () => {
  const generator = generatorOf("odd");
  for (let i = 0; i < 7; i++) generator.int32();
  const numbers = new Float64Array(101);
  const end = fillNormal(numbers, 1, generator.state());
  expect(Array.from(numbers)).toEqual(Array.from(numbers, () => nextNormal(generator)));
  expect(alea("", { state: end }).double()).toBe(generator.double());
});

test("words at the ends of their range are as in seedrandom", () => {
  const ends = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map((word) => word / 2 ** 32);
  for (const c of [0, 1, 2091638]) {
    for (const s0 of ends) {
      for (const s1 of ends) {
        for (const s2 of ends) {
          // From the lowest and the highest state, the generator repeats a point that is never accepted.
          if ([0, 2091638 + 3 * ends[4]].includes(c + s0 + s1 + s2)) continue;
          const state = { c, s0, s1, s2 };
          const generator = alea("", { state });
          const numbers = new Float64Array(3);
          const end = fillNormal(numbers, 1, state);
          expect(Array.from(numbers), JSON.stringify(state)).toEqual(
            Array.from(numbers, () => nextNormal(generator)),
          );
          expect(end).toEqual(generator.state());
        }
      }
    }
  }
});

test("with deviation 0, all numbers are 0 and not −0", () => {
  const numbers = new Float32Array(11);
  fillNormal(numbers, 0, generatorOf("zero").state());
  expect(numbers).toEqual(new Float32Array(11));
});
