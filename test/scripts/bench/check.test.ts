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

  describe("with 51 million parameters", () => {
    const ours = {
      losses: [11.534586, 8.790678, 10.7693348, 6.6422195],
      norms: [34.839799, 18.36649, 7.386904, 14.125888],
    };
    const pytorch = {
      losses: [11.534586, 8.790679, 10.7693377, 6.6421213],
      norms: [34.838669, 18.366093, 7.385309, 14.12578],
    };

    test("accepts what an imprecise norm changes by clipping", () => {
      expect(disagreement(ours, pytorch)).toBeNull();
    });

    test("rejects the same losses with precise norms, and a much lower one", () => {
      expect(disagreement(ours, { ...pytorch, norms: ours.norms })).toMatch("step 4 has a loss");
      const losses = [...pytorch.losses.slice(0, 3), 6.64];
      expect(disagreement(ours, { ...pytorch, losses })).toMatch("step 4 has a loss");
    });

    test("a norm explains the losses after it alone", () => {
      const losses = [...ours.losses.slice(0, 2), 10.7694348, 6.6422195];
      const norms = [...ours.norms.slice(0, 2), 7.385309, 14.12578];
      expect(disagreement(ours, { losses, norms })).toMatch("step 3 has a loss");
    });
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
