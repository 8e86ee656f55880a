/** What the chart draws: each stretch in place, and no number that is not one. */
import type { TemplateResult } from "lit-html";
import { expect, test } from "vitest";
import type { MaskMode } from "../../../src/play/masks.ts";
import { drawLossChart } from "../../../src/play/page/draw/loss-chart.ts";

/** The markup of a template, with its values in place. */
function markupOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(markupOf).join("");
  if (typeof value !== "object" || value === null) return String(value);
  const { strings, values } = value as TemplateResult;
  return strings.map((text, i) => (i === 0 ? text : markupOf(values[i - 1]) + text)).join("");
}

const point = (step: number, lossNats: number, mask: MaskMode) => ({ firstStep: step, step, lossNats, mask });
const chart = { steps: 100, floorNats: 0.5, blindGuessNats: 4, width: 600 };

/** The points of each curve, in pixels. */
function curvesOf(markup: string) {
  return [...markup.matchAll(/class="curve (\w+)" d=M([^>]*)>/g)].map(([, mask, path]) => ({
    mask,
    points: path.split("L").map((pair) => pair.split(",").map(Number)),
  }));
}

test("a stretch starts where the one before ended; losses are in order of height", () => {
  const points = [point(1, 4, "on"), point(50, 1, "on"), point(51, 0.2, "off"), point(100, 0.1, "off")];
  const [on, off] = curvesOf(markupOf(drawLossChart({ ...chart, points })));
  expect([on.mask, off.mask]).toEqual(["on", "off"]);
  expect(off.points[0]).toEqual(on.points[1]);
  const heights = [...on.points, ...off.points.slice(1)].map(([, y]) => y);
  expect(heights).toEqual([...heights].sort((a, b) => a - b));
  const [x] = on.points[1];
  const [[left], , [right]] = [[34], [], [600 - 12]];
  expect(x).toBeCloseTo((left + right) / 2, 0);
});

test.each([
  ["no step yet", { ...chart, points: [] }],
  ["no step at all", { ...chart, steps: 0, points: [] }],
  ["an unknown floor", { ...chart, floorNats: null, points: [point(1, 4, "on")] }],
  ["a phone", { ...chart, width: 300, points: [point(1, 40, "shifted")] }],
])("%s gives no NaN", (_, given) => {
  const markup = markupOf(drawLossChart(given));
  expect(markup).toContain("<svg");
  expect(markup).not.toMatch(/NaN|undefined|Infinity/);
});
