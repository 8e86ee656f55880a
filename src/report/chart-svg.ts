/**
 * Draws one chart as SVG: curves, axes and reference levels. Takes curves in axis units and a size in pixels; returns
 * markup, and the scales that map a pointer back to values.
 */
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { line, symbol } from "d3-shape";
import { thin } from "./curves.ts";
import { escapeXml } from "./escape.ts";
import { extentOf, fits, type ScaleKind } from "./extent.ts";
import { LIGHT, type RunStyle } from "./run-styles.ts";

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly step: number;
}

export interface ChartCurve {
  readonly name: string;
  /** A shorter name, for tooltips. */
  readonly shortName: string;
  readonly style: RunStyle;
  /**
   * "faint": the raw values behind a smoothed curve. "marked": few points, with a mark on each. "hollow": hollow marks
   * and no line, for values that are uncertain.
   */
  readonly drawnAs: "line" | "faint" | "marked" | "hollow";
  readonly points: readonly ChartPoint[];
}

export interface Level {
  readonly name: string;
  readonly value: number;
}

export interface Chart {
  readonly title: string;
  /** The chart in sentences, for screen readers. */
  readonly description: string;
  readonly xName: string;
  readonly yName: string;
  readonly yScale: ScaleKind;
  readonly curves: readonly ChartCurve[];
  readonly levels: readonly Level[];
}

export type Scale = ScaleContinuousNumeric<number, number>;

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly y: Scale;
}

const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
/** Space around the plot for axis labels. */
const MARGIN = { left: 56, right: 16, top: 26, bottom: 40 };
const PIXELS_PER_TICK = { x: 76, y: 44 };
const MAX_MARKS = 24;
/** More points in a pixel column than its lowest and highest, and the ends, change nothing that can be seen. */
const POINTS_PER_PIXEL = 4;
const MARK_SIZE = 46;
const EDGE = 6;
/** Height of a label, and the distance of its baseline from the line that it names, in pixels. */
const [LABEL_HEIGHT, ABOVE_LINE] = [15, 5];
/** Decimal places of coordinates. Finer differences are invisible. */
const DIGITS = 2;

/** Computes the layout and scales of a chart. */
export function frameOf(chart: Chart, width: number, height: number): Frame {
  const box = { width, height, left: MARGIN.left, top: MARGIN.top };
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  const points = chart.curves.flatMap((curve) => curve.points);
  // Faint curves may leave the chart: a single spike should not set its scale.
  const solid = chart.curves.filter(({ drawnAs }) => drawnAs !== "faint").flatMap((curve) => curve.points);
  const shown = [...solid.map(({ y }) => y), ...chart.levels.map(({ value }) => value)];
  const xs = points.map((point) => point.x);
  const x = scaleLinear(extentOf(xs, "linear") ?? [0.1, 1], [box.left, right]);
  const makeY = chart.yScale === "log" ? scaleLog : scaleLinear;
  const y = makeY(extentOf(shown, chart.yScale) ?? [0.1, 1], [bottom, box.top]);
  // On a logarithmic axis, nice() rounds to powers of ten, which leaves most of the axis empty.
  if (chart.yScale === "linear") y.nice(ticksUp(bottom - box.top));
  return { ...box, right, bottom, x, y };
}

/** Returns the number of ticks to ask for to get at least two. */
function atLeastTwo(scale: Scale, count: number): number {
  return [0, 1, 2, 3].map((more) => count + more).find((each) => scale.ticks(each).length > 1) ?? count;
}

function ticksUp(pixels: number): number {
  return Math.max(2, Math.floor(pixels / PIXELS_PER_TICK.y));
}

/** Returns the contents of a chart's `<svg>`. All ids start with `id`, so that a page can hold several charts. */
export function drawChart(chart: Chart, frame: Frame, id: string): string {
  const { left, right, top, bottom } = frame;
  // Drop levels that have no place on a logarithmic axis.
  const levels = chart.levels.filter(({ value }) => fits(chart.yScale, value));
  const clip = `${id}-plot`;
  // Leave room for whole marks at the edges.
  const size = `x="${left - EDGE}" y="${top - EDGE}" width="${right - left + 2 * EDGE}" height="${bottom - top + 2 * EDGE}"`;
  return [
    `<clipPath id="${clip}"><rect ${size}/></clipPath>`,
    drawAxes(chart, frame),
    `<g class="curves" clip-path="url(#${clip})" fill="none" stroke-linejoin="round">`,
    ...levels.map(({ value }) => drawLevel(value, frame)),
    ...[...chart.curves].sort(faintFirst).map((curve) => drawCurve(curve, frame)),
    "</g>",
    drawLevelNames(levels, frame),
    chart.curves.every(({ points }) => points.length === 0) ? drawNothing(frame) : "",
  ].join("");
}

function faintFirst(a: ChartCurve, b: ChartCurve): number {
  return Number(b.drawnAs === "faint") - Number(a.drawnAs === "faint");
}

function drawAxes({ xName, yName, yScale }: Chart, { x, y, left, right, top, bottom }: Frame): string {
  const parts: string[] = [];
  const across = atLeastTwo(x, Math.max(2, Math.floor((right - left) / PIXELS_PER_TICK.x)));
  const up = atLeastTwo(y, ticksUp(bottom - top));
  const xWords = x.tickFormat(across);
  for (const value of x.ticks(across)) {
    if (xName === "steps" && !Number.isInteger(value)) continue;
    const at = round(x(value));
    parts.push(`<path class="grid" stroke="${LIGHT.grid}" d="M${at},${bottom}v5"/>`);
    parts.push(text(at, bottom + 18, xWords(value), "mute", 'text-anchor="middle"'));
  }
  // The default format of a logarithmic axis prints 600m for 0.6.
  const yWords = yScale === "log" ? y.tickFormat(up, "~g") : y.tickFormat(up);
  for (const value of y.ticks(up)) {
    const words = yWords(value);
    // Dense ticks of a logarithmic axis have no label.
    if (words === "") continue;
    const at = round(y(value));
    parts.push(`<path class="grid" stroke="${LIGHT.grid}" d="M${left},${at}H${right}"/>`);
    parts.push(text(left - 8, at + 4, words, "mute", 'text-anchor="end"'));
  }
  parts.push(text(right, bottom + 34, xName, "mute", 'text-anchor="end"'));
  parts.push(text(0, 14, yName, "mute", 'text-anchor="start"'));
  return `<g class="axes" ${FONT}>${parts.join("")}</g>`;
}

function drawLevel(value: number, { y, left, right }: Frame): string {
  const at = round(y(value));
  return `<path class="level" stroke="${LIGHT.mute}" stroke-width="1.2" stroke-dasharray="1 4" stroke-linecap="round" d="M${left},${at}H${right}"/>`;
}

/** Draws level names above their lines, at the right, where curves are usually low. Names of close levels are stacked. */
function drawLevelNames(levels: readonly Level[], { y, top, right }: Frame): string {
  const upwards = [...levels].sort((a, b) => a.value - b.value);
  const wanted = upwards.map(({ value }) => round(y(value)) - ABOVE_LINE);
  const baselines = stacked(wanted, top + LABEL_HEIGHT);
  const words = upwards.map(({ name }, i) => text(right - 4, baselines[i], name, "ink", 'text-anchor="end"'));
  return `<g class="levels" ${FONT}>${words.join("")}</g>`;
}

/** Moves baselines, given from the lowest label to the highest, up until none overlaps, and down where they hit the top. */
function stacked(wanted: readonly number[], highest: number): number[] {
  const baselines = [...wanted];
  for (let i = 1; i < baselines.length; i++)
    baselines[i] = Math.min(baselines[i], baselines[i - 1] - LABEL_HEIGHT);
  let limit = highest;
  for (let i = baselines.length - 1; i >= 0; i--) {
    baselines[i] = Math.max(baselines[i], limit);
    limit = baselines[i] + LABEL_HEIGHT;
  }
  return baselines;
}

function drawNothing({ left, right, top, bottom }: Frame): string {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return `<g ${FONT}>${text(x, y, "no step yet", "mute", 'text-anchor="middle"')}</g>`;
}

function drawCurve(curve: ChartCurve, { x, y, left, right }: Frame): string {
  const { style, drawnAs } = curve;
  const points = curve.points.filter((point) => Number.isFinite(y(point.y)));
  const path = line<ChartPoint>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(DIGITS)(thin(points, Math.max(2, POINTS_PER_PIXEL * (right - left)), (point) => point.y));
  const { color } = style;
  const stroke = `class="s${color}" stroke="${LIGHT.runs[color]}"`;
  const dashes = style.dashes.length === 0 ? "" : ` stroke-dasharray="${style.dashes.join(" ")}"`;
  const pen = {
    faint: 'stroke-width="1" stroke-opacity="0.3"',
    line: `stroke-width="1.6"${dashes}`,
    marked: `stroke-width="1.6"${dashes}`,
    hollow: "",
  }[drawnAs];
  const label = `data-curve="${escapeXml(curve.name)}"`;
  if (drawnAs === "hollow") return drawMarks(curve, points, { x, y });
  const drawn = points.length === 0 ? "" : `<path ${label} ${stroke} ${pen} d="${path}"/>`;
  const lonely = points.length === 1 && drawnAs === "line";
  return drawn + (drawnAs === "marked" || lonely ? drawMarks(curve, points, { x, y }) : "");
}

/** Draws marks on at most MAX_MARKS points, so that shapes stay recognizable. The last point always has one. */
function drawMarks(
  { name, style, drawnAs }: ChartCurve,
  points: readonly ChartPoint[],
  { x, y }: Pick<Frame, "x" | "y">,
): string {
  const every = Math.ceil(points.length / MAX_MARKS);
  const shape = symbol(style.symbol, MARK_SIZE).digits(DIGITS)() ?? "";
  const marked = points.filter((_, i) => (points.length - 1 - i) % every === 0);
  const uses = marked.map(
    (point) => `<path transform="translate(${round(x(point.x))},${round(y(point.y))})" d="${shape}"/>`,
  );
  const { color } = style;
  if (drawnAs === "hollow")
    return `<g data-curve="${escapeXml(name)}" class="s${color}" fill="none" stroke="${LIGHT.runs[color]}" stroke-width="1.4">${uses.join("")}</g>`;
  return `<g class="f${color}" fill="${LIGHT.runs[color]}">${uses.join("")}</g>`;
}

/** Draws a legend key: a short line, with a mark for marked curves. */
export function drawKey({ style, drawnAs }: ChartCurve, x: number, y: number): string {
  const at = (x: number) => ({ x, y, step: 0 });
  const same = scaleLinear([0, 1], [0, 1]);
  if (drawnAs === "hollow")
    return drawMarks({ name: "", shortName: "", style, drawnAs, points: [] }, [at(x + 15)], {
      x: same,
      y: same,
    });
  const points = drawnAs === "marked" ? [at(x), at(x + 15), at(x + 30)] : [at(x), at(x + 30)];
  const curve = { name: "", shortName: "", style, drawnAs, points };
  const line = drawCurve({ ...curve, drawnAs: "line" }, { ...ZERO, x: same, y: same });
  if (drawnAs !== "marked") return line;
  return line + drawMarks(curve, [points[1]], { x: same, y: same });
}

const ZERO = { width: 0, height: 0, left: 0, right: 0, top: 0, bottom: 0 };

export function text(x: number, y: number, words: string, className: "ink" | "mute", more = ""): string {
  return `<text x="${x}" y="${y}" class="${className}" fill="${LIGHT[className]}" ${more}>${escapeXml(words)}</text>`;
}

function round(pixels: number): number {
  return Number(pixels.toFixed(DIGITS));
}
