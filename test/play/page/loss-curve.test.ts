/** A long run keeps few points, whose losses are means; a point never mixes two masks. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { MaskMode } from "../../../src/play/masks.ts";
import { stretchesOf } from "../../../src/play/page/draw/loss-chart.ts";
import { LossCurve } from "../../../src/play/page/draw/loss-curve.ts";

function curveOf(losses: readonly number[], maskAt: (step: number) => MaskMode) {
  const curve = new LossCurve();
  curve.add(losses.map((lossNats, i) => ({ step: i + 1, lossNats, mask: maskAt(i + 1) })));
  return curve;
}

test("a run of a few hundred steps keeps each step", () => {
  const losses = Array.from({ length: 600 }, (_, i) => 1 / (i + 1));
  const { points } = curveOf(losses, () => "on");
  expect(points.map(({ lossNats }) => lossNats)).toEqual(losses);
});

test("a run of any length keeps at most 1,600 points, which cover every step once and keep the mean", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 20_000 }),
      (count, switchAt) => {
        const losses = Array.from({ length: count }, (_, i) => (i * 7919) % 101);
        const maskAt = (step: number) => (step >= switchAt ? "off" : "on");
        const { points } = curveOf(losses, maskAt);
        expect(points.length).toBeLessThanOrEqual(1600);
        let [next, sum] = [1, 0];
        for (const { firstStep, step, lossNats, mask } of points) {
          expect(firstStep).toBe(next);
          expect([maskAt(firstStep), maskAt(step)]).toEqual([mask, mask]);
          sum += lossNats * (step - firstStep + 1);
          next = step + 1;
        }
        expect(next).toBe(count + 1);
        expect(sum).toBeCloseTo(
          losses.reduce((total, loss) => total + loss),
          4,
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("a curve is split where the mask was switched", () => {
  const masks: MaskMode[] = ["on", "on", "off", "shifted", "shifted", "on"];
  const { points } = curveOf([1, 2, 3, 4, 5, 6], (step) => masks[step - 1]);
  expect(stretchesOf(points).map(({ mask, points: own }) => [mask, own.length])).toEqual([
    ["on", 2],
    ["off", 1],
    ["shifted", 2],
    ["on", 1],
  ]);
});
