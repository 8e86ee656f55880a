import { describe, expect, test } from "vitest";
import { disagreement, logitDisagreement } from "../../../scripts/bench/check.ts";

const ours = { losses: [4.17, 3.9, 3.7, 3.6], norms: [2.3, 1.9, 1.7, 1.5] };

/** The same steps with one number changed. */
function moved(what: "losses" | "norms", step: number, by: number) {
  return { ...ours, [what]: ours[what].map((value, i) => (i === step ? value + by : value)) };
}

describe("comparing the first steps", () => {
  test("accepts differences from rounding", () => {
    expect(disagreement(ours, ours)).toBeNull();
    expect(disagreement(ours, moved("losses", 1, 4e-5))).toBeNull();
    expect(disagreement(ours, moved("norms", 2, -1e-3))).toBeNull();
  });

  test.each([0, 1, 2, 3])("detects a different model at step %d", (step) => {
    expect(disagreement(ours, moved("losses", step, 1e-4))).toMatch(`step ${step + 1} has a loss`);
    expect(disagreement(ours, moved("losses", step, -1e-4))).not.toBeNull();
    expect(disagreement(ours, moved("norms", step, 0.01))).toMatch(`step ${step + 1} has a gradient norm`);
    expect(disagreement(ours, moved("losses", step, Number.NaN))).not.toBeNull();
  });

  test("rejects missing steps", () => {
    expect(disagreement(ours, { losses: [4.17, 3.9, 3.7], norms: [2.3, 1.9, 1.7] })).not.toBeNull();
  });
});

test("compares logits, and their number", () => {
  expect(logitDisagreement([1, -2, 3], [1, -2.00005, 3])).toBeNull();
  expect(logitDisagreement([1, -2, 3], [1, -2, 3.01])).toMatch("token 2");
  expect(logitDisagreement([1, -2, 3], [1, -2])).not.toBeNull();
  expect(logitDisagreement([1, -2], [1, -2, 3])).not.toBeNull();
});
