import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidates, candidatesOf } from "../../src/sample/candidates.ts";
import { forbidRepeats, penalizeRepetition } from "../../src/sample/repetition.ts";

const { MAX_VALUE, MIN_VALUE, NEGATIVE_INFINITY } = Number;
const ids = (candidates: Candidates) => [...candidates.ids];
const flat = (count: number) => candidatesOf(new Array<number>(count).fill(0));

describe("penalizeRepetition", () => {
  test("divides positive logits of seen tokens, multiplies negative ones, and leaves the others", () => {
    const candidates = candidatesOf([3, -3, NEGATIVE_INFINITY, 5, -5, 0]);
    const { ids, logits } = penalizeRepetition(2)(candidates, [0, 1, 2, 1, 5]);
    expect([...ids]).toEqual([0, 1, 3, 4, 5]);
    expect([...logits]).toEqual([1.5, -6, 5, -5, 0]);
  });

  test("favors seen tokens below 1, and changes nothing at 1 or without a history", () => {
    const candidates = candidatesOf([3, -3, 5]);
    expect([...penalizeRepetition(0.5)(candidates, [0, 1]).logits]).toEqual([6, -1.5, 5]);
    expect(penalizeRepetition(1)(candidates, [0, 1, 2])).toEqual(candidates);
    expect(penalizeRepetition(7)(candidates, [])).toEqual(candidates);
  });

  test.each([MIN_VALUE, MAX_VALUE])("keeps logits finite at %f", (penalty) => {
    const { logits } = penalizeRepetition(penalty)(candidatesOf([1e9, -1e9, 1]), [0, 1, 2]);
    expect([...logits].every(Number.isFinite)).toBe(true);
  });

  test("never makes a seen token more probable relative to an unseen one", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -90, max: 90 })),
        fc.double({ min: 1, max: 9, noNaN: true }),
        ([seen, unseen], penalty) => {
          const { logits } = penalizeRepetition(penalty)(candidatesOf([seen / 7, unseen / 7]), [0]);
          expect(logits[0]).toBeLessThanOrEqual(seen / 7);
          expect(logits[1]).toBe(unseen / 7);
        },
      ),
    );
  });
});

describe("forbidRepeats", () => {
  test.each([
    // In the history, 4 2 is followed by 3 and 0, and 2 is followed by 3, 0 and 5.
    [3, [4, 2, 3, 4, 2, 0, 1, 2, 5, 4, 2], [1, 2, 4, 5, 6]],
    [2, [4, 2, 3, 4, 2, 0, 1, 2, 5, 4, 2], [1, 2, 4, 6]],
    [1, [4, 2, 3, 4, 2, 0], [1, 5, 6]],
    // An n-gram may overlap itself.
    [3, [1, 1, 1], [0, 2, 3, 4, 5, 6]],
    [4, [1, 1, 1], [0, 1, 2, 3, 4, 5, 6]],
    [2, [], [0, 1, 2, 3, 4, 5, 6]],
    [5, [3], [0, 1, 2, 3, 4, 5, 6]],
  ])("with n = %i after %j, %j may follow", (n, history, expected) => {
    expect(ids(forbidRepeats(n)(flat(7), history))).toEqual(expected);
  });

  test("does not change the logits of the tokens it keeps", () => {
    const candidates = candidatesOf([0.5, 1.5, NEGATIVE_INFINITY, 2.5]);
    const { ids, logits } = forbidRepeats(1)(candidates, [1]);
    expect([[...ids], [...logits]]).toEqual([
      [0, 3],
      [0.5, 2.5],
    ]);
  });

  test("keeps all tokens if none would be left", () => {
    const candidates = candidatesOf([0.5, NEGATIVE_INFINITY, 2.5]);
    expect(forbidRepeats(1)(candidates, [0, 1, 2])).toEqual(candidates);
    expect(forbidRepeats(1)(candidates, [2, 0])).toEqual(candidates);
  });

  test("forbids exactly the tokens that would repeat an n-gram, by definition", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 17 }),
        fc.integer({ min: 1, max: 4 }),
        (history, n) => {
          const runs = (tokens: readonly number[]) =>
            tokens.slice(0, Math.max(0, tokens.length - n + 1)).map((_, i) => tokens.slice(i, i + n).join());
          const repeats = (token: number) => {
            const all = runs([...history, token]);
            return all.length > 0 && all.slice(0, -1).includes(all[all.length - 1]);
          };
          const allowed = [0, 1, 2, 3].filter((token) => !repeats(token));
          const expected = allowed.length === 0 ? [0, 1, 2, 3] : allowed;
          expect(ids(forbidRepeats(n)(flat(4), history))).toEqual(expected);
        },
      ),
    );
  });
});
