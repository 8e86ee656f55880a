import { expect, test } from "vitest";
import { drawChart } from "../../src/cli/chart.ts";

test("a curve falls through a level", () => {
  const falling = { mark: "o", values: [4, 3, 2, 1, 0] };
  const level = { value: 1, label: "one" };
  expect(drawChart([falling], { width: 18, height: 5, level })).toEqual([
    " 4.00 ┤o",
    " 3.00 ┤ o",
    " 2.00 ┤  o",
    " 1.00 ┤┄┄┄o one ┄┄",
    " 0.00 ┤    o",
  ]);
});

test("many values share a column by their mean, and the level's own value stands at its row", () => {
  const values = Array.from({ length: 30 }, (_, i) => (i < 15 ? (i % 2) * 2 : 3));
  const level = { value: 0.4, label: "low" };
  const lines = drawChart([{ mark: "●", values }], { width: 17, height: 7, level });
  expect(lines[0]).toMatch(/^ 3\.00 ┤ {5}●{5}$/);
  expect(lines.filter((line) => line.startsWith(" 0.40 ┤"))).toHaveLength(1);
  expect(lines.every((line) => line.length <= 17)).toBe(true);
});

test("a curve of one value, and one of none", () => {
  const lines = drawChart(
    [
      { mark: "a", values: [2] },
      { mark: "b", values: [] },
    ],
    { width: 40, height: 3, level: { value: 1, label: "x" } },
  );
  expect(lines[0]).toBe(" 2.00 ┤a");
  expect(lines.join("")).not.toContain("b");
});
