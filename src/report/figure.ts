/** The charts of a comparison, and the loss chart as a standalone SVG. */
import { largestOf, smallestOf } from "../util/extremes.ts";
import { formatBitsPerByte, formatCount, formatDuration, formatLoss, plural } from "../util/format.ts";
import { printableLine } from "../util/printable.ts";
import { type Chart, type ChartCurve, drawChart, drawKey, frameOf, type Level, text } from "./chart-svg.ts";
import { escapeXml } from "./escape.ts";
import { fits } from "./extent.ts";
import { type CurveName, type PlottedRun, type XUnit, xOf } from "./plotted-run.ts";
import { DARK, LIGHT, paletteCss, styleOf } from "./run-styles.ts";

export const CHARTS = ["loss", "learningRate", "gradientNorm"] as const;
export type ChartName = (typeof CHARTS)[number];

/** Which parts of the runs are shown, and how. */
export interface View {
  readonly x: XUnit;
  readonly yScale: "linear" | "log";
  /** Whether the losses of single steps are drawn behind their means. */
  readonly steps: boolean;
  /** Indices of hidden runs. */
  readonly hidden: ReadonlySet<number>;
  /** Share of the horizontal axis to cut off at its start. */
  readonly skipped: number;
}

export const WHOLE: Omit<View, "x"> = { yScale: "linear", steps: true, hidden: new Set(), skipped: 0 };

/** Returns the view of one chart. Only losses can have a logarithmic scale. */
export function viewOf(name: ChartName, view: View): View {
  return name === "loss" ? view : { ...view, yScale: "linear" };
}

const PLANS: Readonly<Record<ChartName, { title: string; yName: string }>> = {
  loss: { title: "Loss", yName: "nats per token" },
  learningRate: { title: "Learning rate", yName: "learning rate" },
  gradientNorm: { title: "Gradient norm", yName: "gradient norm, before clipping" },
};

export function chartOf(name: ChartName, runs: readonly PlottedRun[], view: View): Chart {
  const { title, yName } = PLANS[name];
  const longestMs = largestOf(
    runs.map(({ trainedMs }) => trainedMs),
    0,
  );
  const time = timeUnit(longestMs / 1000);
  const xName = view.x === "seconds" ? `${time.name} of training` : view.x;
  const perUnit = view.x === "seconds" ? time.seconds : 1;
  const all = runs.flatMap((run, i) => (view.hidden.has(i) ? [] : curvesOf(name, run, i, view, perUnit)));
  const curves = view.skipped === 0 ? all : skipStart(all, view.skipped);
  const levels = name === "loss" ? levelsOf(runs.filter((_, i) => !view.hidden.has(i))) : [];
  // A level far above the visible curves would flatten them.
  const ys = curves.flatMap(({ points }) => points.map(({ y }) => y));
  const highest = largestOf(ys, 0);
  const shown = view.skipped === 0 ? levels : levels.filter(({ value }) => value <= highest);
  const description = name === "loss" ? runs.map(sentenceOf).join(" ") : `${title} of each step.`;
  return { title, description, xName, yName, yScale: view.yScale, curves, levels: shown };
}

function curvesOf(
  name: ChartName,
  run: PlottedRun,
  index: number,
  view: View,
  perUnit: number,
): ChartCurve[] {
  const style = styleOf(index);
  const points = (curve: CurveName) => pointsOf(run, curve, view.x, perUnit);
  if (name !== "loss")
    return [{ name: run.name, shortName: run.name, style, drawnAs: "line", points: points(name) }];
  const { smoothing } = run;
  const mean = smoothing === 1 ? "training" : `training, mean of ${plural(smoothing, "step")}`;
  const curve = (long: string, short: string, drawnAs: ChartCurve["drawnAs"], of: CurveName): ChartCurve => {
    return {
      name: `${run.name}: ${long}`,
      shortName: `${run.name} ${short}`,
      style,
      drawnAs,
      points: points(of),
    };
  };
  const behind = curve("training, each step", "each step", "faint", "train");
  return [
    ...(smoothing === 1 || !view.steps ? [] : [behind]),
    curve(mean, "training", "line", "smoothed"),
    curve("validation", "validation", "marked", "validation"),
    // Runs without estimates need no entry in the legend.
    ...(run.curves.estimates.length === 0
      ? []
      : [curve("validation, estimated", "estimate", "hollow", "estimates")]),
  ];
}

/** The points of a curve that a chart can show. A damaged log may hold any number. */
function pointsOf({ curves, tokensPerStep }: PlottedRun, curve: CurveName, x: XUnit, perUnit: number) {
  return curves[curve]
    .map((point) => ({ x: xOf(x, point, tokensPerStep) / perUnit, y: point[2], step: point[0] }))
    .filter(({ x, y }) => fits("linear", x) && fits("linear", y));
}

function skipStart(curves: readonly ChartCurve[], share: number): ChartCurve[] {
  const xs = curves.flatMap(({ points }) => points.map(({ x }) => x));
  const [from, to] = [smallestOf(xs), largestOf(xs)];
  const start = from + share * (to - from);
  return curves.map((curve) => ({ ...curve, points: curve.points.filter(({ x }) => x >= start) }));
}

/** The entropy floors and the losses of a uniform guess, without duplicates. */
function levelsOf(runs: readonly PlottedRun[]): Level[] {
  const floors = new Set(runs.flatMap(({ floorNats }) => floorNats ?? []));
  const guesses = new Set(runs.map(({ uniformNats }) => uniformNats));
  return [
    ...[...floors].map((value) => ({ name: `entropy floor ${formatLoss(value)}`, value })),
    ...[...guesses].map((value) => ({ name: `uniform guess ${formatLoss(value)}`, value })),
  ];
}

function timeUnit(seconds: number): { readonly name: string; readonly seconds: number } {
  if (seconds < 300) return { name: "seconds", seconds: 1 };
  return seconds < 3 * 3600 ? { name: "minutes", seconds: 60 } : { name: "hours", seconds: 3600 };
}

/** "tales-1: 4,200 of 4,200 steps in 58 s; training loss from 4.2080 to 0.6200; best validation loss 0.6166." */
export function sentenceOf({ name, step, steps, trainedMs, best, curves }: PlottedRun): string {
  const [first, last] = [curves.train.at(0), curves.smoothed.at(-1)];
  const losses =
    first === undefined || last === undefined
      ? ""
      : `; training loss from ${formatLoss(first[2])} to ${formatLoss(last[2])}`;
  const perByte =
    typeof best?.bitsPerByte === "number" ? `, ${formatBitsPerByte(best.bitsPerByte)} bits per byte,` : "";
  const lowest =
    best === null
      ? ""
      : `; best validation loss ${formatLoss(best.lossNats)}${perByte} after step ${formatCount(best.step)}`;
  return `${printableLine(name)}: ${formatCount(step)} of ${plural(steps, "step")} in ${formatDuration(trainedMs)}${losses}${lowest}.`;
}

/** Returns the `<svg>` element of one chart for a page. */
export function svgOf(chart: Chart, id: string, width: number, height: number): string {
  const frame = frameOf(chart, width, height);
  return `${openSvg(chart, id, width, height)}${drawChart(chart, frame, id)}</svg>`;
}

function openSvg({ title, description }: Chart, id: string, width: number, height: number): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="${id}-title ${id}-words" ` +
    `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<title id="${id}-title">${escapeXml(title)}</title><desc id="${id}-words">${escapeXml(description)}</desc>`
  );
}

const FIGURE = { width: 960, height: 540, margin: 16 };
const LEGEND_LINE = 20;
/** Estimated maximum width of a character in the legend, in pixels. */
const CHARACTER = 6.8;
const KEY = 38;

/** Returns the loss chart as an SVG file with title and legend, in light and dark colors. */
export function figureOf(runs: readonly PlottedRun[], x: XUnit, yScale: View["yScale"]): string {
  const chart = chartOf("loss", runs, { ...WHOLE, x, yScale });
  const { width, height, margin } = FIGURE;
  const named = chart.curves.filter(({ drawnAs }) => drawnAs !== "faint");
  const inner = width - 2 * margin;
  const legend = legendOf(named, inner);
  const top = margin + 30 + legend.lines * LEGEND_LINE + 8;
  const all = top + height + margin;
  const frame = frameOf(chart, inner, height);
  const title = `Loss of ${runs.map(({ name }) => printableLine(name)).join(" and ")}`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>\n`,
    openSvg({ ...chart, title }, "losses", width, all),
    `<style>${paletteCss(LIGHT)}@media (prefers-color-scheme:dark){${paletteCss(DARK)}}</style>`,
    `<rect class="paper" fill="${LIGHT.paper}" width="${width}" height="${all}"/>`,
    `<g font-family="system-ui, sans-serif" font-size="17" font-weight="600">${text(margin, margin + 16, shorten(title, inner / 9.5), "ink")}</g>`,
    `<g class="legend" font-family="system-ui, sans-serif" font-size="12" transform="translate(${margin},${margin + 30})">${legend.markup}</g>`,
    `<g transform="translate(${margin},${top})">${drawChart(chart, frame, "losses")}</g>`,
    "</svg>\n",
  ].join("");
}

/** Draws keys and names, wrapped to the width. */
function legendOf(
  curves: readonly ChartCurve[],
  width: number,
): { readonly markup: string; readonly lines: number } {
  let [x, line] = [0, 0];
  const parts: string[] = [];
  for (const curve of curves) {
    const name = shorten(printableLine(curve.name), (width - KEY) / CHARACTER);
    const needed = KEY + name.length * CHARACTER + 18;
    if (x > 0 && x + needed > width) [x, line] = [0, line + 1];
    const y = line * LEGEND_LINE + 12;
    parts.push(drawKey(curve, x, y - 4), text(x + KEY, y, name, "ink"));
    x += needed;
  }
  return { markup: parts.join(""), lines: line + 1 };
}

/** Shortens a text in the middle, because its start and end say the most. */
function shorten(label: string, limit: number): string {
  const letters = Array.from(label);
  if (letters.length <= limit) return label;
  const kept = Math.floor((limit - 1) / 2);
  return `${letters.slice(0, kept).join("")}…${letters.slice(-kept).join("")}`;
}
