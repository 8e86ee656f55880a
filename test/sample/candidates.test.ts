import { describe, expect, test } from "vitest";
import { SampleError } from "../../src/errors.ts";
import { candidatesOf, probabilitiesOf } from "../../src/sample/candidates.ts";

const { NEGATIVE_INFINITY, POSITIVE_INFINITY, MAX_VALUE } = Number;

describe("candidatesOf", () => {
  test("leaves out what is −∞ and nothing else", () => {
    const { ids, logits } = candidatesOf([NEGATIVE_INFINITY, -MAX_VALUE, 0, NEGATIVE_INFINITY, 2.5]);
    expect([...ids]).toEqual([1, 2, 4]);
    expect([...logits]).toEqual([-MAX_VALUE, 0, 2.5]);
  });

  test("leaves the tokens of +∞ alone, equally probable", () => {
    const candidates = candidatesOf([7, POSITIVE_INFINITY, NEGATIVE_INFINITY, POSITIVE_INFINITY, 1e300]);
    expect([...candidates.ids]).toEqual([1, 3]);
    expect([...probabilitiesOf(candidates)]).toEqual([0.5, 0.5]);
  });

  test("names the first token of NaN", () => {
    expect(() => candidatesOf([1, 2, Number.NaN, POSITIVE_INFINITY, Number.NaN])).toThrow(
      /^logits .* token 2 /,
    );
    expect(() => candidatesOf([Number.NaN])).toThrow(SampleError);
  });

  test("refuses logits that are all −∞", () => {
    expect(() => candidatesOf([NEGATIVE_INFINITY, NEGATIVE_INFINITY, NEGATIVE_INFINITY])).toThrow(
      /all 3 logits are −∞/,
    );
    expect(() => candidatesOf([])).toThrow(SampleError);
  });
});

describe("probabilitiesOf", () => {
  test("is softmax", () => {
    const p = probabilitiesOf(candidatesOf([Math.log(1), Math.log(2), Math.log(5)]));
    for (const [i, expected] of [1 / 8, 2 / 8, 5 / 8].entries()) expect(p[i]).toBeCloseTo(expected, 14);
  });

  test("neither overflows nor underflows as a whole", () => {
    expect([...probabilitiesOf(candidatesOf([1e308, -1e308, 1e308]))]).toEqual([0.5, 0, 0.5]);
    expect([...probabilitiesOf(candidatesOf([-1e308, -1e308]))]).toEqual([0.5, 0.5]);
  });
});
