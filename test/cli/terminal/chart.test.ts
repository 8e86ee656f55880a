import { stripVTControlCharacters as strip } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChartOptions, drawChart, type Point, type Series } from "../../../src/cli/terminal/chart.ts";

const widthOf = (line: string) => Array.from(strip(line)).length;
const falling: Point[] = [4, 3, 2, 1, 0].map((y, x) => [x, y]);

test("draws marks, a reference level, axis labels and a legend", () => {
  const options: ChartOptions = {
    width: 24,
    height: 8,
    color: false,
    references: [{ name: "one", value: 1 }],
    xName: "x",
  };
  expect(drawChart([{ name: "falling", points: falling, drawnAs: "marks" }], options)).toEqual([
    "4 ┤●",
    "  ┤     ●",
    "  ┤",
    "  ┤          ●",
    "1 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄●┄┄┄┄┄",
    "  ┤                    ●",
    "x  0                   4",
    "● falling  ┄ one",
  ]);
});

test("draws a line as connected dots, eight per character", () => {
  const points: Point[] = [
    [0, 0],
    [1, 1],
  ];
  const options = { width: 10, height: 3, color: false, legend: false } as const;
  // Two rows are eight dots high, so the line rises eight dots over 14 dot columns.
  expect(drawChart([{ name: "rising", points }], options)).toEqual(["1 ┤   ⢀⡠⠔⠊", "0 ┤⡠⠔⠊⠁", "   0     1"]);
});

describe("without colors", () => {
  const two: Series[] = [
    { name: "a", points: falling },
    { name: "b", points: falling.map(([x, y]) => [x, 4 - y]) },
  ];

  test("the first series is a line and the others use different marks", () => {
    const text = drawChart(two, { width: 30, height: 9, color: false }).join("\n");
    expect(text).toMatch(/[\u2801-\u28ff]/);
    expect(text).toContain("○");
    expect(text).not.toContain("\x1b");
    expect(text).toContain("⣀ a  ○ b");
  });

  test("with colors, all series are lines, and adjacent cells of one color share an escape sequence", () => {
    const lines = drawChart(two, { width: 30, height: 9, color: true });
    expect(lines.join("\n")).not.toContain("○");
    expect(lines.join("\n")).toContain("\x1b[36m");
    expect(lines.join("\n")).toContain("\x1b[33m");
    const level = drawChart([], { width: 30, height: 5, color: true, references: [{ name: "l", value: 2 }] });
    expect(level.find((line) => line.includes("┄┄"))?.split("\x1b[90m")).toHaveLength(2);
  });
});

test("averages the points in a column and skips points that are not finite", () => {
  // Two points at each x: 0 and 2 in the first half, 3 and 3 in the second.
  const points: Point[] = Array.from({ length: 300 }, (_, i) => [i >> 1, i < 150 ? (i % 2) * 2 : 3]);
  points.push([40, Number.NaN], [50, Number.POSITIVE_INFINITY], [Number.NaN, 1]);
  const options = { width: 13, height: 7, color: false, legend: false, yReaches: [0] } as const;
  const lines = drawChart([{ name: "steps", points, drawnAs: "marks" }], options);
  expect(lines[0]).toBe("3 ┤     ●●●●●");
  expect(lines[3]).toBe("1 ┤●●●●●");
  expect(lines.join("").match(/●/g)).toHaveLength(10);
});

test("a logarithmic x axis maps equal ratios to equal distances", () => {
  const points: Point[] = [
    [1, 1],
    [10, 1],
    [100, 1],
  ];
  const options = { width: 40, height: 3, color: false, xScale: "log", legend: false } as const;
  const line = drawChart([{ name: "a", points, drawnAs: "marks" }], options).find((each) =>
    each.includes("●"),
  );
  const columns = Array.from(line ?? "").flatMap((character, i) => (character === "●" ? [i] : []));
  expect(columns).toHaveLength(3);
  expect(columns[2] - columns[1]).toBe(columns[1] - columns[0]);
});

describe("for any series and any size", () => {
  const number = fc.oneof(fc.double({ min: -50, max: 50 }), fc.double(), fc.constantFrom(0, 1));
  const anySeries = fc.record({
    name: fc.string({ maxLength: 30, unit: "grapheme-ascii" }),
    points: fc.array(fc.tuple(number, number), { maxLength: 40 }),
    drawnAs: fc.constantFrom("line" as const, "marks" as const),
  });
  const anyOptions = fc.record({
    width: fc.integer({ min: 1, max: 120 }),
    height: fc.integer({ min: 1, max: 30 }),
    color: fc.boolean(),
    ascii: fc.boolean(),
    references: fc.array(fc.record({ name: fc.constant("level 0.5146"), value: number }), { maxLength: 3 }),
    xScale: fc.constantFrom("linear" as const, "log" as const),
    yScale: fc.constantFrom("linear" as const, "log" as const),
    xName: fc.constantFrom("step", "seconds"),
  });
  const many = fc.array(anySeries, { maxLength: 14 });

  test("has exactly the given height and never exceeds the given width", () => {
    fc.assert(
      fc.property(many, anyOptions, (series, options) => {
        const lines = drawChart(series, options);
        expect(lines).toHaveLength(options.height);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(options.width);
      }),
    );
  });

  test("has no escape sequences without colors and only ASCII without Unicode", () => {
    fc.assert(
      fc.property(many, anyOptions, (series, options) => {
        const text = drawChart(series, { ...options, color: false, ascii: true }).join("");
        expect(text).toMatch(/^[ -~]*$/);
      }),
    );
  });

  test("has the same text with and without colors", () => {
    fc.assert(
      fc.property(many, anyOptions, (series, options) => {
        const marks = series.map((each) => ({ ...each, drawnAs: "marks" as const }));
        const [plain, colored] = [false, true].map((color) => drawChart(marks, { ...options, color }));
        expect(colored.map((line) => strip(line).trimEnd())).toEqual(plain);
      }),
    );
  });

  test("draws a value in the row with its label", () => {
    const range = fc.tuple(
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.double({ min: 2, max: 9, noNaN: true }),
    );
    const scale = fc.constantFrom("linear" as const, "log" as const);
    fc.assert(
      fc.property(range, scale, fc.integer({ min: 4, max: 20 }), ([low, high], yScale, height) => {
        const options = { width: 40, height, color: false, yScale, yReaches: [low, high], legend: false };
        const labels = drawChart([], options).flatMap((line) => /^ *([\d.]+) ┤/.exec(line)?.[1] ?? []);
        expect(labels.length).toBeGreaterThan(0);
        for (const label of labels) {
          // A label is rounded to three digits, so it may be beyond the end of the axis.
          const value = Math.min(high, Math.max(low, Number(label)));
          const points: Point[] = [[1, value]];
          const lines = drawChart([{ name: "", points, drawnAs: "marks" }], options);
          expect(lines.find((line) => line.includes("●"))).toContain(`${label} ┤`);
        }
      }),
    );
  });

  test("draws a reference level across the whole plot, with its value beside it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        fc.integer({ min: 2, max: 20 }),
        (value, height) => {
          const references = [{ name: "floor", value }];
          const lines = drawChart([], {
            width: 50,
            height,
            color: false,
            references,
            yReaches: [0.1, 9],
            legend: false,
          });
          const [line] = lines.filter((each) => each.includes("┄"));
          expect(line).toMatch(/┤┄+$/);
          expect(line).toHaveLength(50);
          expect(Number(line.split("┤")[0])).toBeCloseTo(value, 1);
        },
      ),
    );
  });
});
