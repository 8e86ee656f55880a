/** Curves are distinguishable by dashes, marks and colors, with any kind of color vision. */
import { describe, expect, it } from "vitest";
import { DARK, LIGHT, styleOf } from "../../src/report/run-styles.ts";

type Triple = readonly [number, number, number];

/** Color transforms, in linear light, for eyes without one kind of cone. Source: Machado et al. 2009, severity 1. */
const EYES: Readonly<Record<string, readonly Triple[]>> = {
  "normal vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** Difference in CIELAB. 2.3 is just noticeable side by side; crossing lines need much more. */
const PLAIN_DIFFERENCE = 25;

function linear(color: string): Triple {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return [r, g, b];
}

const dot = (row: Triple, [r, g, b]: Triple) => row[0] * r + row[1] * g + row[2] * b;
const luminance = (color: string) => dot([0.2126, 0.7152, 0.0722], linear(color));

/** Source: WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function seenBy(eyes: readonly Triple[], color: string): number[] {
  const light = eyes.map((row) => Math.min(1, Math.max(0, dot(row, linear(color)))));
  const seen: Triple = [light[0], light[1], light[2]];
  const [x, y, z] = [
    dot([0.4124, 0.3576, 0.1805], seen) / 0.9505,
    dot([0.2126, 0.7152, 0.0722], seen),
    dot([0.0193, 0.1192, 0.9505], seen) / 1.089,
  ].map((t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 * t) / 27 / 116 + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
])("on a %s background", (_, palette) => {
  it("curves and text have a contrast of at least 4.5 : 1", () => {
    for (const color of palette.runs)
      expect(contrast(color, palette.paper), color).toBeGreaterThanOrEqual(4.5);
    for (const color of [palette.ink, palette.mute])
      expect(contrast(color, palette.paper), color).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.keys(EYES))("all colors are distinguishable with %s", (eyes) => {
    const seen = palette.runs.map((color) => seenBy(EYES[eyes], color));
    seen.forEach((a, i) => {
      for (const [j, b] of seen.slice(0, i).entries()) {
        const difference = Math.hypot(...a.map((value, axis) => value - b[axis]));
        expect(difference, `${palette.runs[i]} and ${palette.runs[j]}`).toBeGreaterThan(PLAIN_DIFFERENCE);
      }
    });
  });
});

it("the first five runs differ in dashes and marks, and thirty runs differ in something", () => {
  const styles = Array.from({ length: 30 }, (_, i) => styleOf(i));
  styles.slice(1, 5).forEach((style, i) => {
    for (const before of styles.slice(0, i + 1)) {
      expect(style.dashes).not.toEqual(before.dashes);
      expect(style.symbol).not.toBe(before.symbol);
    }
  });
  const combinations = styles.map(({ color, dashes }) => `${color} ${dashes}`);
  expect(new Set(combinations).size).toBe(30);
});
