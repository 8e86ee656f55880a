/**
 * Parses SVG charts: reads the curves back with an XML parser, converts them to values by the axis labels, and compares
 * them with the run.
 */
import type { Element } from "@xmldom/xmldom";
import { describe, expect, it } from "vitest";
import { chartOf, figureOf, sentenceOf, svgOf, WHOLE } from "../../src/report/figure.ts";
import type { CurveName, CurvePoint, PlottedRun, XUnit } from "../../src/report/plotted-run.ts";
import { elements, numberOf, parseXml } from "../support/xml.ts";
import { emptyRun, exampleRun, exampleRuns, HOSTILE, smoothedOver } from "./example-runs.ts";

type Curves = { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
type Scale = (pixel: number) => number;

/** Returns the scale from pixels to values, given the labels of an axis. */
function scaleBy(labels: readonly (readonly [pixel: number, value: number])[], log = false): Scale {
  expect(labels.length).toBeGreaterThan(1);
  const place = (value: number) => (log ? Math.log(value) : value);
  const [[p0, v0], [p1, v1]] = [labels[0], labels[labels.length - 1]];
  return (pixel) => {
    const found = place(v0) + ((pixel - p0) * (place(v1) - place(v0))) / (p1 - p0);
    return log ? Math.exp(found) : found;
  };
}

function scalesOf(svg: Element, log = false): { x: Scale; y: Scale } {
  const [axes] = elements(svg, "g").filter((group) => group.getAttribute("class") === "axes");
  const labels = elements(axes, "text").filter((text) => /^[\d.,]+$/.test(text.textContent ?? ""));
  const valueIn = (text: Element) => Number((text.textContent ?? "").replaceAll(",", ""));
  const anchored = (anchor: string) => labels.filter((text) => text.getAttribute("text-anchor") === anchor);
  return {
    x: scaleBy(anchored("middle").map((text) => [numberOf(text, "x"), valueIn(text)] as const)),
    // A label's baseline is 4 pixels below its grid line.
    y: scaleBy(
      anchored("end").map((text) => [numberOf(text, "y") - 4, valueIn(text)] as const),
      log,
    ),
  };
}

/** The points of each curve in axis units. */
function curvesIn(svg: Element, log = false): Curves {
  const { x, y } = scalesOf(svg, log);
  const paths = elements(svg, "path").filter((path) => (path.getAttribute("data-curve") ?? "") !== "");
  return paths.map((path) => {
    const pairs = (path.getAttribute("d") ?? "").match(/[\d.e-]+,[\d.e-]+/g) ?? [];
    const points = pairs.map((pair) => {
      const [px, py] = pair.split(",").map(Number);
      return [x(px), y(py)] as const;
    });
    return { name: path.getAttribute("data-curve") ?? "", points };
  });
}

const X: Readonly<Record<XUnit, (step: number, seconds: number) => number>> = {
  steps: (step) => step,
  tokens: (step) => step * 512,
  seconds: (_, seconds) => seconds,
};

function expectCurve(found: Curves[number], run: PlottedRun, curve: CurveName, unit: XUnit): void {
  const data = run.curves[curve];
  expect(found.points).toHaveLength(data.length);
  const across = Math.max(...data.map(([step, seconds]) => X[unit](step, seconds)));
  data.forEach(([step, seconds, value], i) => {
    const [x, y] = found.points[i];
    expect(Math.abs(x - X[unit](step, seconds)) / across).toBeLessThan(1e-3);
    expect(Math.abs(y - value)).toBeLessThan(2e-3 * value);
  });
}

describe("the SVG", () => {
  it.each(["steps", "tokens", "seconds"] as const)("has every point of every curve over %s", (unit) => {
    const runs = exampleRuns();
    const curves = curvesIn(parseXml(figureOf(runs, unit, "linear")));
    expect(curves.map(({ name }) => name)).toEqual([
      "first: training, each step",
      "second: training, each step",
      "first: training, mean of 5 steps",
      "first: validation",
      "second: training, mean of 5 steps",
      "second: validation",
    ]);
    for (const run of runs) {
      const named = (part: string) => curves.filter(({ name }) => name === `${run.name}: ${part}`)[0];
      expectCurve(named("training, each step"), run, "train", unit);
      expectCurve(named("training, mean of 5 steps"), run, "smoothed", unit);
      expectCurve(named("validation"), run, "validation", unit);
    }
  });

  it("has the same values on a logarithmic scale", () => {
    const [run] = exampleRuns();
    const curves = curvesIn(parseXml(figureOf([run], "steps", "log")), true);
    expect(curves).toHaveLength(3);
    expectCurve(curves[1], run, "smoothed", "steps");
  });

  it("draws each level once, at its value", () => {
    const svg = parseXml(figureOf(exampleRuns(), "steps", "linear"));
    const { y } = scalesOf(svg);
    const levels = elements(svg, "path").filter((path) => path.getAttribute("class") === "level");
    const values = levels.map((path) =>
      y(Number(/M[\d.]+,([\d.]+)/.exec(path.getAttribute("d") ?? "")?.[1])),
    );
    expect(values.map((value) => Number(value.toFixed(2)))).toEqual([0.5, 4.2]);
    const words = elements(svg, "text").map(({ textContent }) => textContent);
    expect(words).toEqual(expect.arrayContaining(["entropy floor 0.5000", "uniform guess 4.2000"]));
  });

  it("has a title, a description, a mark for each evaluation and a legend", () => {
    const svg = parseXml(figureOf(exampleRuns(), "steps", "linear"));
    expect(svg.getAttribute("role")).toBe("img");
    const [title, description] = (svg.getAttribute("aria-labelledby") ?? "").split(" ");
    const texts = [...elements(svg, "title"), ...elements(svg, "desc")];
    const byId = (id: string) => texts.find((each) => each.getAttribute("id") === id)?.textContent;
    expect(byId(title)).toBe("Loss of first and second");
    expect(byId(description)).toContain("first: 97 of 97 steps in 24 s; training loss from 4.1037 to");
    expect(byId(description)).toContain("best validation loss 1.0300, 1.4700 bits per byte, after step 80.");
    const shapes = (color: string) =>
      elements(svg, "g")
        .filter((group) => group.getAttribute("class") === color)
        .map((group) => elements(group, "path").length);
    // One mark in the legend, and one per evaluation.
    expect(shapes("f0")).toEqual([1, 4]);
    expect(shapes("f1")).toEqual([1, 3]);
    expect(elements(svg, "text").map(({ textContent }) => textContent)).toContain("second: validation");
  });

  it("shows hostile names literally, without adding elements", () => {
    const plain = parseXml(figureOf([exampleRun()], "steps", "linear"));
    const hostile = parseXml(figureOf([exampleRun({ name: HOSTILE })], "steps", "linear"));
    expect(elements(hostile, "*")).toHaveLength(elements(plain, "*").length);
    expect(elements(hostile, "title")[0].textContent).toBe(`Loss of ${HOSTILE.replace("\u001b", "\ufffd")}`);
  });

  it("says that a run has no step yet", () => {
    const words = (runs: PlottedRun[]) =>
      elements(parseXml(figureOf(runs, "steps", "linear")), "text").map((text) => text.textContent);
    expect(words([emptyRun()])).toContain("no step yet");
    expect(words([emptyRun(), exampleRun()])).not.toContain("no step yet");
    expect(curvesIn(parseXml(figureOf([emptyRun(), exampleRun()], "steps", "linear")))).toHaveLength(2);
    expect(figureOf([emptyRun()], "steps", "linear")).not.toContain("NaN");
  });

  it("has no NaN or Infinity for a single step, equal losses or a loss of 0", () => {
    const point = (value: number) => [[1, 0.5, value]] as const;
    for (const value of [0, 1, 1e-9]) {
      const curves = { ...emptyRun().curves, train: point(value), smoothed: point(value) };
      const run = exampleRun({ curves, floorNats: null, uniformNats: value });
      for (const scale of ["linear", "log"] as const) {
        const picture = figureOf([run], "steps", scale);
        expect(picture).not.toMatch(/NaN|Infinity/);
        parseXml(picture);
      }
    }
  });

  it("has colors without style sheets, and a dark mode with them", () => {
    const picture = figureOf(exampleRuns(), "steps", "linear");
    for (const path of elements(parseXml(picture), "path").filter((each) => each.hasAttribute("data-curve")))
      expect(path.getAttribute("stroke")).toMatch(/^#[0-9a-f]{6}$/);
    expect(picture).toContain("@media (prefers-color-scheme:dark)");
  });
});

describe("a view", () => {
  const [first, second] = exampleRuns();

  it("can hide runs, single steps and the start", () => {
    const view = { ...WHOLE, x: "steps" } as const;
    const names = (changes: object) =>
      chartOf("loss", [first, second], { ...view, ...changes }).curves.map(({ name }) => name);
    expect(names({})).toHaveLength(6);
    expect(names({ steps: false })).toHaveLength(4);
    expect(names({ hidden: new Set([0]) }).every((name) => name.startsWith("second"))).toBe(true);
    const late = chartOf("loss", [first], { ...view, skipped: 0.5 });
    expect(Math.min(...late.curves.flatMap(({ points }) => points.map(({ step }) => step)))).toBe(49);
    // The level of a uniform guess is far above the remaining points.
    expect(late.levels.map(({ value }) => value)).toEqual([0.5]);
  });

  it("has one curve per run for the learning rate and the gradient norm", () => {
    for (const name of ["learningRate", "gradientNorm"] as const) {
      const chart = chartOf(name, [first, second], { ...WHOLE, x: "steps" });
      const curves = curvesIn(parseXml(svgOf(chart, name, 700, 300)));
      expect(curves.map((curve) => curve.name)).toEqual(["first", "second"]);
      if (name === "gradientNorm") expectCurve(curves[0], first, name, "steps");
    }
  });

  it("uses minutes or hours for long runs", () => {
    const long = exampleRun({ trainedMs: 3_600_000 });
    expect(chartOf("loss", [long], { ...WHOLE, x: "seconds" }).xName).toBe("minutes of training");
    const curve = chartOf("loss", [long], { ...WHOLE, x: "seconds" }).curves[0];
    expect(curve.points[3].x).toBeCloseTo(1 / 60, 9);
  });
});

it("sentenceOf describes a run in a sentence", () => {
  expect(sentenceOf(emptyRun())).toBe("empty: 0 of 97 steps in 0 ms.");
  expect(sentenceOf(smoothedOver(exampleRun(), 97))).toMatch(/^first: .*; training loss from 4\.1037 to 1\./);
});

it("draws estimates as hollow marks without a line, and names them in the legend", () => {
  const estimates = [10, 30, 50].map((step): CurvePoint => [step, step, 1.1]);
  const run = exampleRun();
  const svg = parseXml(figureOf([{ ...run, curves: { ...run.curves, estimates } }], "steps", "linear"));
  const [drawn, ...more] = elements(svg, "g").filter(
    (group) => group.getAttribute("data-curve") === "first: validation, estimated",
  );
  expect(more).toEqual([]);
  expect(drawn.getAttribute("fill")).toBe("none");
  expect(elements(drawn, "path")).toHaveLength(3);
  expect(elements(svg, "text").map(({ textContent }) => textContent)).toContain(
    "first: validation, estimated",
  );
  const without = parseXml(figureOf([run], "steps", "linear"));
  expect(elements(without, "text").map(({ textContent }) => textContent)).not.toContain(
    "first: validation, estimated",
  );
});
