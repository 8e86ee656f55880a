import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRateAt } from "../../src/optim/schedule.ts";

const settings = {
  learningRate: 3e-3,
  minLearningRate: 2e-4,
  warmupSteps: 7,
  steps: 101,
  schedule: "cosine",
  cooldown: 0.4,
} as const;

/** Output of `get_lr` in nanoGPT's train.py for these settings, computed by Python. */
const NANOGPT: readonly (readonly [number, number])[] = [
  [0, 0.000375],
  [3, 0.0015],
  [6, 0.002625],
  [7, 0.003],
  [8, 0.002999218189222356],
  [29, 0.0026383129479071407],
  [54, 0.0016],
  [83, 0.00044578181552153585],
  [99, 0.00020312636992758559],
  [100, 0.00020078181077764356],
  [101, 0.0002],
  [103, 0.0002],
];

describe("learningRateAt", () => {
  it("matches nanoGPT's numbers", () => {
    for (const [step, expected] of NANOGPT) {
      expect(Math.abs(learningRateAt(settings, step) - expected)).toBeLessThan(1e-17);
    }
  });

  it("rises linearly, and the first update after warm-up has the full rate", () => {
    for (const schedule of ["cosine", "linear", "constant", "trapezoid"] as const) {
      const rates = Array.from({ length: 8 }, (_, step) => learningRateAt({ ...settings, schedule }, step));
      rates.forEach((rate, step) => {
        expect(rate).toBeCloseTo(((step + 1) / 8) * 3e-3, 15);
      });
    }
  });

  it("decays linearly, or stays constant", () => {
    const linear = { ...settings, schedule: "linear" } as const;
    expect(learningRateAt(linear, 7 + 47)).toBeCloseTo((3e-3 + 2e-4) / 2, 15);
    expect(learningRateAt(linear, 7) - learningRateAt(linear, 8)).toBeCloseTo(2.8e-3 / 94, 15);
    expect(learningRateAt({ ...settings, schedule: "constant" }, 100)).toBe(3e-3);
    expect(learningRateAt({ ...settings, schedule: "constant" }, 1000)).toBe(3e-3);
  });

  it("holds the rate, then decays linearly during the cooldown", () => {
    // 94 steps after warm-up; the rate falls in the last half of them, from step 54 on.
    const trapezoid = { ...settings, schedule: "trapezoid", cooldown: 0.5 } as const;
    for (const step of [7, 30, 54]) expect(learningRateAt(trapezoid, step)).toBe(3e-3);
    expect(learningRateAt(trapezoid, 54) - learningRateAt(trapezoid, 55)).toBeCloseTo(2.8e-3 / 47, 15);
    expect(learningRateAt(trapezoid, 100)).toBeCloseTo(2e-4 + 2.8e-3 / 47, 15);
    const whole = { ...trapezoid, cooldown: 1 };
    expect(learningRateAt(whole, 60)).toBe(learningRateAt({ ...settings, schedule: "linear" }, 60));
  });

  it("stays at the minimum from `steps` on", () => {
    for (const schedule of ["cosine", "linear", "trapezoid"] as const) {
      expect(learningRateAt({ ...settings, schedule }, 100)).toBeGreaterThan(2e-4);
      expect(learningRateAt({ ...settings, schedule }, 101)).toBe(2e-4);
      expect(learningRateAt({ ...settings, schedule }, 5000)).toBe(2e-4);
    }
  });

  it("never exceeds the full rate; after warm-up never rises or falls below the minimum", () => {
    const schedules = fc.constantFrom(...(["cosine", "linear", "constant", "trapezoid"] as const));
    fc.assert(
      fc.property(schedules, fc.nat(13), fc.nat(23), fc.nat(40), (schedule, warmupSteps, steps, step) => {
        const given = {
          learningRate: 0.5,
          minLearningRate: 0.1,
          warmupSteps,
          steps,
          schedule,
          cooldown: 0.4,
        };
        const rate = learningRateAt(given, step);
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(0.5);
        if (step >= warmupSteps) {
          expect(rate).toBeGreaterThanOrEqual(0.1);
          expect(learningRateAt(given, step + 1)).toBeLessThanOrEqual(rate);
        }
      }),
    );
  });
});
