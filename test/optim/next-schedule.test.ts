/** How a resumed run's learning rate continues. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EarlierSchedule,
  type ScheduleSettings,
  scheduleOf,
} from "../../src/config/schedule-settings.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { nextSchedule } from "../../src/optim/next-schedule.ts";
import { learningRateAt, learningRatesAt } from "../../src/optim/schedule.ts";

const SCHEDULES = ["cosine", "linear", "constant", "trapezoid"] as const;
const base = scheduleOf(
  resolveSettings({
    steps: 100,
    warmupSteps: 10,
    learningRate: 1e-2,
    minLearningRate: 1e-4,
    muonLearningRate: 3e-2,
  }),
);

/** The rate of every update of a run that resumed after `done` updates with `given`. */
function ratesOf(current: ScheduleSettings, done: number, given: Partial<ScheduleSettings>) {
  const { schedule, begins } = nextSchedule(current, 0, done, given);
  const earlier: EarlierSchedule[] = begins ? [{ ...current, until: done }] : [];
  return Array.from({ length: schedule.steps }, (_, step) => learningRatesAt(schedule, earlier, step));
}

describe("more steps", () => {
  it.each(SCHEDULES)(
    "never raise the rate of a %s schedule after its warm-up, and change no earlier one",
    (schedule) => {
      fc.assert(
        fc.property(fc.integer({ min: 10, max: 100 }), fc.integer({ min: 1, max: 300 }), (done, more) => {
          const current = { ...base, schedule };
          const rates = ratesOf(current, done, { steps: Math.max(done, 100) + more });
          for (let step = 0; step < done; step++)
            expect(rates[step].learningRate).toBe(learningRateAt(current, step));
          expect(rates[done].learningRate).toBeCloseTo(learningRateAt(current, done), 15);
          for (let step = done + 1; step < rates.length; step++)
            expect(rates[step].learningRate).toBeLessThanOrEqual(rates[step - 1].learningRate);
          expect(rates[done].muonLearningRate / rates[done].learningRate).toBeCloseTo(3, 12);
        }),
      );
    },
  );

  it("leave a finished run at the rate it ended at", () => {
    for (const schedule of ["cosine", "linear", "trapezoid"] as const)
      for (const { learningRate } of ratesOf({ ...base, schedule }, 100, { steps: 200 }).slice(100))
        expect(learningRate).toBeCloseTo(1e-4, 18);
  });

  it("within the warm-up only move the end", () => {
    const rates = ratesOf(base, 7, { steps: 200 });
    rates.forEach(({ learningRate }, step) => {
      expect(learningRate).toBe(learningRateAt({ ...base, steps: 200 }, step));
    });
  });

  it("are refused at a rate of 0, unless a rate is given, which Muon's follows", () => {
    const ended = { ...base, minLearningRate: 0 };
    expect(() => nextSchedule(ended, 0, 100, { steps: 200 })).toThrow(
      "the learning rate of this run is 0 after step 100",
    );
    const { schedule } = nextSchedule(ended, 0, 100, { steps: 200, learningRate: 1e-3 });
    expect(schedule.muonLearningRate).toBeCloseTo(3e-3, 15);
  });
});

describe("another rate", () => {
  it("holds from the resume on, and decays to the minimum at the end", () => {
    const rates = ratesOf(base, 60, { learningRate: 5e-3, schedule: "linear" });
    expect(rates[59].learningRate).toBe(learningRateAt(base, 59));
    expect(rates[60].learningRate).toBe(5e-3);
    expect(rates[80].learningRate).toBeCloseTo((5e-3 + 1e-4) / 2, 15);
    expect(rates[60].muonLearningRate).toBeCloseTo(3 * learningRateAt(base, 60), 15);
  });

  it("below the minimum lowers the minimum", () => {
    expect(nextSchedule(base, 0, 60, { learningRate: 1e-5 }).schedule.minLearningRate).toBe(1e-5);
  });

  it("with a warm-up rises to it", () => {
    const rates = ratesOf(base, 60, { learningRate: 5e-3, warmupSteps: 4, steps: 200 });
    expect(rates.slice(60, 65).map(({ learningRate }) => learningRate)).toEqual([
      1e-3, 2e-3, 3e-3, 4e-3, 5e-3,
    ]);
  });

  it("during the warm-up keeps the rest of the warm-up", () => {
    const { schedule, begins } = nextSchedule(base, 0, 4, { learningRate: 5e-3 });
    expect({ begins, ...schedule }).toMatchObject({ begins: true, learningRate: 5e-3, warmupSteps: 6 });
  });
});
