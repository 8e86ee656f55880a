/** How `npm run interop` decides whether a claim holds. */
import { expect, test } from "vitest";
import { faultOf, LIMITS, missingClaims } from "../../../scripts/interop/claims.ts";

const line = (claim: string, measured: number) => ({ case: "llama", claim, measured });

test("a number up to its limit is good, and one above is not", () => {
  expect(faultOf(line("logits", LIMITS.logits))).toBeNull();
  expect(faultOf(line("logits", LIMITS.logits * 1.01))).toBe("above its limit");
  expect(faultOf(line("greedy", 0))).toBeNull();
  expect(faultOf(line("greedy", 1))).toBe("above its limit");
});

test("a number that is not finite never passes, and neither does a claim without a limit", () => {
  expect(faultOf(line("logits", Number.NaN))).toBe("not a number");
  expect(faultOf(line("logits", Number.POSITIVE_INFINITY))).toBe("not a number");
  expect(faultOf(line("toString", 0))).toContain("no limit");
});

test("a claim that a check does not make is found", () => {
  const made = [line("logits", 0), { ...line("greedy", 0), case: "qwen3" }];
  expect(missingClaims(made, ["llama", "qwen3"], ["logits", "greedy"])).toEqual([
    "llama: greedy",
    "qwen3: logits",
  ]);
});
