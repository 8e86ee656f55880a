/** Charts of any log: every axis and curve ends, whatever numbers a damaged or hostile log holds. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparisonLines } from "../../src/cli/commands/plot/terminal-plot.ts";
import { axisOver, formatTick, ticksOf } from "../../src/cli/terminal/axis.ts";
import { extentOf, fits } from "../../src/report/extent.ts";
import { figureOf } from "../../src/report/figure.ts";
import type { CurvePoint, XUnit } from "../../src/report/plotted-run.ts";
import { exampleRun } from "./example-runs.ts";

/** Any double, with those that break naive tick arithmetic drawn often. */
const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(
    1e308,
    -1e308,
    1e-320,
    -1e-320,
    0,
    -0,
    1,
    1 + 2e-16,
    1e15,
    1e15 + 1,
    1e100,
    1e-100,
    0.5,
    -3,
  ),
);
const kind = fc.constantFrom("linear" as const, "log" as const);

test("an extent holds every value that fits, and is wide enough for tick arithmetic", () => {
  fc.assert(
    fc.property(kind, fc.array(anyDouble), (kind, values) => {
      const extent = extentOf(values, kind);
      const fitting = values.filter((value) => fits(kind, value));
      expect(extent === null).toBe(fitting.length === 0);
      if (extent === null) return;
      const [from, to] = extent;
      for (const value of fitting) expect(value >= from && value <= to).toBe(true);
      expect(to - from).toBeGreaterThan(1e-10 * Math.max(Math.abs(from), Math.abs(to)));
      if (kind === "log") expect(from).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});

test("ticks of any doubles are few, finite, ascending and on the axis", () => {
  fc.assert(
    fc.property(kind, fc.array(anyDouble), fc.integer({ min: 1, max: 20 }), (kind, values, most) => {
      const axis = axisOver(values, kind);
      const ticks = ticksOf(axis, most);
      expect(ticks.length).toBeLessThanOrEqual(most);
      ticks.forEach((tick, i) => {
        expect(tick >= axis.from && tick <= axis.to).toBe(true);
        if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]);
        expect(formatTick(tick).length).toBeLessThan(12);
      });
    }),
    { numRuns: 1000 },
  );
});

describe("a comparison", () => {
  const points = fc.array(fc.tuple(anyDouble, anyDouble, anyDouble), { maxLength: 12 });
  const unit = fc.constantFrom<XUnit>("steps", "tokens", "seconds");

  test("of any doubles is drawn as text and as SVG, without a coordinate that is not a number", () => {
    fc.assert(
      fc.property(
        points,
        points,
        unit,
        kind,
        fc.integer({ min: 1, max: 200 }),
        (train, validation, x, yScale, columns) => {
          const curves = {
            train,
            smoothed: train,
            validation,
            estimates: [],
            learningRate: train,
            gradientNorm: train,
          };
          const runs = [exampleRun({ curves })];
          const svg = figureOf(runs, x, yScale);
          // The description names the losses, whatever they are.
          expect(svg.replace(/<desc.*?<\/desc>/s, "")).not.toMatch(/NaN|Infinity/);
          expect(svg.length).toBeLessThan(100_000);
          const lines = comparisonLines(runs, { x, yScale, columns, rows: 30, color: false, ascii: false });
          expect(lines.length).toBeGreaterThan(0);
          expect(lines.length).toBeLessThan(200);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of long runs is thinned: the file stays small and keeps every spike", () => {
    const spike = 150_001;
    const long: CurvePoint[] = Array.from({ length: 200_000 }, (_, i) => [
      i,
      i,
      i === spike ? 99 : 1 + (i % 7) / 10,
    ]);
    const curves = {
      train: long,
      smoothed: long,
      validation: long,
      estimates: [],
      learningRate: long,
      gradientNorm: long,
    };
    const run = exampleRun({ curves, uniformNats: 99, floorNats: null });
    const svg = figureOf([run], "steps", "linear");
    expect(svg.length).toBeLessThan(500_000);
    // The pixel of the highest point is that of the level at the same value.
    const level = /class="level"[^>]*d="M\d+,([\d.]+)H/.exec(svg)?.[1];
    expect(level).toBeDefined();
    const heights = [...svg.matchAll(/<path data-curve="[^"]*training"[^>]* d="M([^"]*)"/g)].map(([, path]) =>
      Math.min(...path.split("L").map((pair) => Number(pair.split(",")[1]))),
    );
    expect(heights).toEqual([Number(level)]);
    expect(
      comparisonLines([run], {
        x: "steps",
        yScale: "linear",
        columns: 80,
        rows: 30,
        color: false,
        ascii: false,
      }).length,
    ).toBeLessThan(60);
  });
});
