import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidatesOf } from "../../src/sample/candidates.ts";
import { forbidRepeats, forbidsAll, penalizeRepetition } from "../../src/sample/repetition.ts";
import { TokenHistory } from "../../src/sample/token-history.ts";

const LOGITS = [1.5, -0.5, 0.25, -3];
const few = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 });

/** The tokens that complete an n-gram that occurs already, by definition. */
function repeats(history: readonly number[], n: number): number[] {
  const all = new Set<string>();
  for (let i = 0; i + n <= history.length; i++) all.add(history.slice(i, i + n).join());
  const newest = n === 1 ? [] : history.slice(1 - n);
  return [0, 1, 2, 3].filter((token) => newest.length === n - 1 && all.has([...newest, token].join()));
}

describe("a history that grows", () => {
  test("knows its tokens and what followed the newest ones, for several n at once", () => {
    fc.assert(
      fc.property(few, few, fc.integer({ min: 1, max: 6 }), (prompt, added, n) => {
        const history = new TokenHistory(prompt);
        const tokens = [...prompt];
        for (const token of [null, ...added]) {
          if (token !== null) {
            history.push(token);
            tokens.push(token);
          }
          expect([...history.followers(n)].sort()).toEqual(repeats(tokens, n));
          if (tokens.length % 3 === 0) expect([...history.followers(2)].sort()).toEqual(repeats(tokens, 2));
          for (let id = 0; id < 4; id++) expect(history.has(id)).toBe(tokens.includes(id));
          expect(history.slice(-3)).toEqual(tokens.slice(-3));
        }
      }),
    );
  });

  test("filters exactly as an array of the same tokens", () => {
    const candidates = candidatesOf(LOGITS);
    fc.assert(
      fc.property(
        few,
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0.1, max: 9 }),
        (tokens, n, penalty) => {
          const history = new TokenHistory(tokens);
          for (const rule of [forbidRepeats(n), penalizeRepetition(penalty)])
            expect(rule(candidates, history)).toEqual(rule(candidates, tokens));
          expect(forbidsAll(n)(candidates, history)).toBe(forbidsAll(n)(candidates, tokens));
        },
      ),
    );
  });

  test("tells runs apart whose hashes are equal", () => {
    // Tokens that differ by 2³² hash alike, because hashes are 32-bit integers.
    const history = new TokenHistory([1, 7, 2, 1 + 2 ** 32, 7, 3, 1, 7]);
    expect([...history.followers(3)]).toEqual([2]);
    history.push(2);
    history.push(1 + 2 ** 32);
    history.push(7);
    expect([...history.followers(3)]).toEqual([3]);
  });
});
