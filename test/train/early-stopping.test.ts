import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { SpikeDetector } from "../../src/optim/gradient-spikes.ts";
import { EarlyStopping } from "../../src/train/early-stopping.ts";

/** Alternating training and validation losses, one step each. */
function seen(...losses: readonly (readonly [training: number, validation: number])[]): EarlyStopping {
  const patience = new EarlyStopping();
  losses.forEach(([training, validation], i) => {
    patience.trained(training - 0.5);
    patience.trained(training + 0.5);
    patience.evaluated(2 * (i + 1), validation);
  });
  return patience;
}

describe("early stopping", () => {
  it("tracks the best evaluation, and the number since", () => {
    const patience = new EarlyStopping();
    expect([3, 2, 2.5, 2, 1.9].map((loss, step) => patience.evaluated(step, loss))).toEqual([
      true,
      true,
      false,
      // An equal loss is not better.
      false,
      true,
    ]);
    expect(patience.best).toMatchObject({ step: 4, validationNats: 1.9 });
    expect(patience.evaluationsSinceBest).toBe(0);
  });

  it("is exhausted after `patience` evaluations in a row without a lower loss; 0 never is", () => {
    const patience = seen([3, 3], [2, 2], [2, 2.1], [2, 2.2], [2, 2.05]);
    expect([0, 1, 3, 4].map((limit) => patience.isExhausted(limit))).toEqual([false, true, true, false]);
    patience.evaluated(12, 1.5);
    expect(patience.isExhausted(1)).toBe(false);
    // NaN is never better, not even at the first evaluation.
    expect(
      [Number.NaN, Number.POSITIVE_INFINITY, 3].map((loss) => new EarlyStopping().evaluated(1, loss)),
    ).toEqual([false, false, true]);
    patience.evaluated(14, Number.NaN);
    expect(patience.isExhausted(1)).toBe(true);
    expect(patience.best?.step).toBe(12);
  });

  it("averages the training loss over the steps since the previous evaluation", () => {
    expect(seen([3, 3], [2, 4]).latest).toEqual({ step: 4, validationNats: 4, trainingNats: 2 });
    expect(seen().best).toBeNull();
    const untrained = new EarlyStopping();
    untrained.evaluated(0, 3);
    expect(untrained.best).toEqual({ step: 0, validationNats: 3, trainingNats: null });
    expect(untrained.isOverfitting).toBe(false);
  });

  it("reports overfitting only if the training loss falls and the validation loss rises", () => {
    expect(seen([3, 3], [2, 2], [1, 2.5]).isOverfitting).toBe(true);
    expect(seen([3, 3], [2, 2], [2.5, 2.5]).isOverfitting).toBe(false);
    expect(seen([3, 3], [2, 2], [1, 2]).isOverfitting).toBe(false);
    expect(seen([3, 3], [2, 2]).isOverfitting).toBe(false);
  });

  it("continues from JSON as if it had never stopped", () => {
    const whole = seen([3, 3], [2, 2], [1, 2.5]);
    const stopped = seen([3, 3], [2, 2]);
    stopped.trained(0.5);
    const resumed = EarlyStopping.fromJSON(JSON.parse(JSON.stringify(stopped)));
    resumed.trained(1.5);
    resumed.evaluated(6, 2.5);
    expect(resumed.toJSON()).toEqual(whole.toJSON());
    for (const nothing of [null, {}, { bestLossNats: 2 }]) {
      expect(EarlyStopping.fromJSON(nothing).toJSON()).toEqual(new EarlyStopping().toJSON());
    }
  });

  it("refuses a saved state that it never saved", () => {
    const whole = JSON.stringify(seen([3, 3], [2, 2], [1, 2.5]));
    expect(EarlyStopping.fromJSON(JSON.parse(whole)).best?.step).toBe(4);
    const damages: readonly (readonly [from: string, to: string, place: string])[] = [
      ['"step":4', '"step":"4"', "best.step"],
      ['"step":4', '"step":1e308', "best.step"],
      ['"step":4', '"step":-4', "best.step"],
      ['"step":4', '"step":0.5', "best.step"],
      ['"validationNats":2.5', '"validationNats":1e308', "latest.validationNats"],
      ['"evaluationsSinceBest":1', '"evaluationsSinceBest":"1"', "evaluationsSinceBest"],
      ['"lossSum":0', '"lossSum":[]', "lossSum"],
      ['"latest"', '"later"', "latest"],
    ];
    for (const [from, to, place] of damages) {
      expect(whole).toContain(from);
      const damaged: unknown = JSON.parse(whole.replace(from, to));
      expect(() => EarlyStopping.fromJSON(damaged)).toThrow(CheckpointError);
      expect(() => EarlyStopping.fromJSON(damaged)).toThrow(`state.json: is damaged: ${place}: `);
    }
  });

  it("reads any JSON, or refuses it with its type of error", () => {
    const field = fc.constantFrom(
      "best",
      "latest",
      "evaluationsSinceBest",
      "steps",
      "lossSum",
      "gradientNorms",
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue())), (json) => {
        const spikes = new SpikeDetector();
        for (const read of [() => EarlyStopping.fromJSON(json), () => spikes.restore(json)]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(CheckpointError);
          }
        }
        for (const norm of spikes.toJSON().gradientNorms) expect(norm).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
