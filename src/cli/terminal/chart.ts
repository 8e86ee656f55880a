/**
 * Line charts in text, for any terminal. Takes series of points, reference levels and a size in columns and rows;
 * returns that number of lines, none wider than the given width.
 *
 *   4.17 ┤⢣┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
 *      2 ┤⠈⢆
 *      1 ┤ ⠈⠢⠤●⣀⣀●
 *   step  1       500    1,000
 *        ⣀ training  ● validation  ┄ uniform 4.17
 */
import { fits, type ScaleKind } from "../../report/extent.ts";
import { largestOf } from "../../util/extremes.ts";
import { printableLine } from "../../util/printable.ts";
import { type Axis, axisOver, formatTick, placeOf, ticksOf } from "./axis.ts";
import { renderSpans, type Style } from "./styled.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  /** In any order. Points that are not finite, or not positive on a logarithmic axis, are skipped. */
  readonly points: readonly Point[];
  /** "line": connected dots, eight per character. "marks": one character per point. */
  readonly drawnAs?: "line" | "marks";
  /** The character for marks. By default, each series has a different one. */
  readonly mark?: string;
  /** Index into the colors. By default, each series has a different one. */
  readonly color?: number;
}

/** A horizontal line through the chart. */
export interface Reference {
  readonly name: string;
  readonly value: number;
}

export interface ChartOptions {
  /** Columns and rows of the whole chart. Axes and legend are omitted if there is no room for them. */
  readonly width: number;
  readonly height: number;
  /** Without colors, only the first series may be a line; the others use marks so that they stay distinguishable. */
  readonly color: boolean;
  /** For terminals without Unicode: marks instead of lines, ASCII characters only. */
  readonly ascii?: boolean;
  readonly references?: readonly Reference[];
  readonly xScale?: ScaleKind;
  readonly yScale?: ScaleKind;
  /** Name of the x axis, shown left of its labels. */
  readonly xName?: string;
  /** Values that the axes include regardless of the points, such as a run's last step. */
  readonly xReaches?: readonly number[];
  readonly yReaches?: readonly number[];
  /** Whether to show a legend below the chart. Default: true. */
  readonly legend?: boolean;
}

type Color = Extract<Style, "cyan" | "yellow" | "magenta" | "green" | "blue" | "red" | "gray">;

/** One character cell. */
interface Cell {
  readonly text: string;
  readonly color: Color | null;
}

const COLORS: readonly Color[] = ["cyan", "yellow", "magenta", "green", "blue", "red"];
const MARKS = { unicode: "●○×+◆◇■□▲△", ascii: "ox+*#@%&$=" } as const;
const LEVEL = { unicode: "┄", ascii: "-" } as const;
const EDGE = { unicode: " ┤", ascii: " |" } as const;
/** The symbol for a line in the legend. */
const LINE = "⣀";
/** A Braille character has two columns of four dots, with one bit per dot. */
const [DOT_COLUMNS, DOT_ROWS] = [2, 4];
const DOT_BITS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const BRAILLE = 0x2800;
const EMPTY: Cell = { text: " ", color: null };
/** The share of rows that may have a tick label. */
const ROWS_WITH_LABEL = 0.6;
/** In a chart this low, labels may be on adjacent rows. */
const CROWDED = 4;
/** Columns for one label on the x axis, with padding. */
const X_LABEL_WIDTH = 12;

export function drawChart(series: readonly Series[], options: ChartOptions): string[] {
  const { width, height, references = [], legend = true } = options;
  const drawn = series.map((each, index) => ({ ...each, ...styleOf(each, index, options) }));
  const below = legend ? legendLines(drawn, references, options) : [];
  const withLegend = height - below.length - 1 >= 2;
  const withAxis = height - 1 - (withLegend ? below.length : 0) >= 1;
  const rows = height - (withAxis ? 1 : 0) - (withLegend ? below.length : 0);

  const points = series.flatMap((each) => each.points);
  const axes = {
    x: axisOver([...points.map(([x]) => x), ...(options.xReaches ?? [])], options.xScale ?? "linear"),
    y: axisOver(
      [...points.map(([, y]) => y), ...references.map(({ value }) => value), ...(options.yReaches ?? [])],
      options.yScale ?? "linear",
    ),
  };
  const labels = rowLabels(axes.y, references, rows);
  const labelLengths = [...labels.values()].map(({ length }) => length);
  const labelWidth = largestOf(labelLengths, options.xName?.length ?? 0);
  const edge = EDGE[options.ascii ? "ascii" : "unicode"];
  const left = labelWidth + edge.length;
  // If the y axis would leave no room for the curves, omit it.
  const plot = new Plot(axes, width > 2 * left ? width - left : width, rows);
  for (const { value } of references) plot.level(value, LEVEL[options.ascii ? "ascii" : "unicode"]);
  for (const each of drawn) {
    if (each.isLine) plot.line(each.points, each.color);
    else plot.marks(each.points, each.symbol, each.color);
  }
  const scaled = plot.cells().map((cells, row) => {
    if (plot.columns === width) return cells;
    return [...plain(`${(labels.get(row) ?? "").padStart(labelWidth)}${edge}`), ...cells];
  });
  const offset = plot.columns === width ? 0 : left;
  const name = offset === 0 ? "" : (options.xName ?? "").padStart(labelWidth);
  const axisLine = plain(name.padEnd(offset) + columnLabels(axes.x, plot.columns));
  return [...scaled, ...(withAxis ? [axisLine] : []), ...(withLegend ? below : [])].map((cells) =>
    join(cells.slice(0, width), options.color),
  );
}

function styleOf(series: Series, index: number, { color, ascii = false }: ChartOptions) {
  const { drawnAs = "line", mark } = series;
  const isLine = drawnAs === "line" && !ascii && (color || index === 0);
  const marks = Array.from(ascii ? MARKS.ascii : MARKS.unicode);
  const ownMark = ascii && mark !== undefined && mark > "~" ? undefined : mark;
  const symbol = isLine ? LINE : (ownMark ?? marks[index % marks.length]);
  return { isLine, symbol, color: COLORS[(series.color ?? index) % COLORS.length] };
}

/** Labels of the y axis by row: reference levels first, then ticks if there is room. */
function rowLabels(axis: Axis, references: readonly Reference[], rows: number): Map<number, string> {
  const labels = new Map<number, string>();
  const add = (value: number, room: number) => {
    const row = rowOf(axis, value, rows);
    for (let near = row - room; near <= row + room; near++) if (labels.has(near)) return;
    labels.set(row, formatTick(value));
  };
  for (const { value } of references) if (fits(axis.kind, value)) add(value, 0);
  const ticks = ticksOf(axis, Math.max(2, Math.round(rows * ROWS_WITH_LABEL)));
  // A short axis without round values shows its ends.
  const room = rows > CROWDED ? 1 : 0;
  for (const value of ticks.length > 1 ? ticks : [axis.to, axis.from]) add(value, room);
  return labels;
}

function rowOf(axis: Axis, value: number, rows: number): number {
  return Math.floor(dotRowOf(axis, value, rows) / DOT_ROWS);
}

function dotRowOf(axis: Axis, value: number, rows: number): number {
  return Math.round((1 - placeOf(axis, value)) * (rows * DOT_ROWS - 1));
}

/** Labels of the x axis, without the ones that would touch their neighbor. */
function columnLabels(axis: Axis, columns: number): string {
  let text = "";
  const ends = columns < 2 * X_LABEL_WIDTH ? [axis.from, axis.to] : null;
  for (const value of ends ?? ticksOf(axis, Math.floor(columns / X_LABEL_WIDTH))) {
    const label = formatTick(value);
    const column = Math.round(placeOf(axis, value) * (columns - 1));
    const start = Math.max(0, Math.min(columns - label.length, column - Math.floor(label.length / 2)));
    if (text !== "" && start < text.length + 2) continue;
    text = text.padEnd(start) + label;
  }
  return text;
}

/** Legend entries, wrapped to the width. */
function legendLines(
  series: readonly { name: string; symbol: string; color: Color }[],
  references: readonly Reference[],
  { width, ascii = false }: ChartOptions,
): Cell[][] {
  const level = LEVEL[ascii ? "ascii" : "unicode"];
  const entries = [
    ...series.map(({ name, symbol, color }) => [{ text: symbol, color }, ...plain(` ${name}`)]),
    ...references.map(({ name }) => [{ text: level, color: "gray" as const }, ...plain(` ${name}`)]),
  ];
  const lines: Cell[][] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + entry.length <= width)
      lines[lines.length - 1] = [...last, ...plain("  "), ...entry];
    else lines.push(entry);
  }
  return lines;
}

/** The area that curves are drawn on. Later curves cover earlier ones. */
class Plot {
  readonly columns: number;
  readonly #axes: { readonly x: Axis; readonly y: Axis };
  readonly #rows: number;
  readonly #cells: Cell[][];

  constructor(axes: { readonly x: Axis; readonly y: Axis }, columns: number, rows: number) {
    this.columns = columns;
    this.#axes = axes;
    this.#rows = rows;
    this.#cells = Array.from({ length: rows }, () => new Array<Cell>(columns).fill(EMPTY));
  }

  cells(): readonly (readonly Cell[])[] {
    return this.#cells;
  }

  level(value: number, text: string): void {
    if (!fits(this.#axes.y.kind, value)) return;
    this.#cells[rowOf(this.#axes.y, value, this.#rows)].fill({ text, color: "gray" });
  }

  marks(points: readonly Point[], text: string, color: Color): void {
    this.#means(points, this.columns).forEach((y, column) => {
      if (y !== undefined) this.#cells[rowOf(this.#axes.y, y, this.#rows)][column] = { text, color };
    });
  }

  line(points: readonly Point[], color: Color): void {
    const bits = this.#cells.map((row) => row.map(() => 0));
    const dot = (x: number, y: number) => {
      bits[Math.floor(y / DOT_ROWS)][Math.floor(x / DOT_COLUMNS)] |= DOT_BITS[x % DOT_COLUMNS][y % DOT_ROWS];
    };
    let before: { readonly x: number; readonly y: number } | null = null;
    this.#means(points, this.columns * DOT_COLUMNS).forEach((value, x) => {
      if (value === undefined) return;
      const y = dotRowOf(this.#axes.y, value, this.#rows);
      if (before === null) dot(x, y);
      else joinDots(before, { x, y }, dot);
      before = { x, y };
    });
    bits.forEach((row, r) => {
      row.forEach((value, c) => {
        if (value !== 0) this.#cells[r][c] = { text: String.fromCharCode(BRAILLE + value), color };
      });
    });
  }

  /** The mean of the points in each of `count` columns, or undefined for a column without points. */
  #means(points: readonly Point[], count: number): (number | undefined)[] {
    const { x: axis, y: values } = this.#axes;
    const sums = new Float64Array(count);
    const counts = new Float64Array(count);
    for (const [x, y] of points) {
      if (!fits(axis.kind, x) || !fits(values.kind, y)) continue;
      const column = Math.round(placeOf(axis, x) * (count - 1));
      sums[column] += y;
      counts[column] += 1;
    }
    return Array.from(sums, (sum, column) => (counts[column] === 0 ? undefined : sum / counts[column]));
  }
}

/** Calls `dot` for every position on a straight line, including both ends. */
function joinDots(
  from: { readonly x: number; readonly y: number },
  to: { readonly x: number; readonly y: number },
  dot: (x: number, y: number) => void,
): void {
  const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
  for (let i = 0; i <= steps; i++) {
    const [x, y] = [from.x + ((to.x - from.x) * i) / steps, from.y + ((to.y - from.y) * i) / steps];
    dot(Math.round(x), Math.round(y));
  }
}

function plain(text: string): Cell[] {
  return Array.from(printableLine(text), (character) => ({ text: character, color: null }));
}

/** Joins cells into a line. Adjacent cells of the same color share one escape sequence. */
function join(cells: readonly Cell[], colored: boolean): string {
  const spans: { text: string; readonly style: Color | null }[] = [];
  for (const { text, color } of cells) {
    const last = spans.at(-1);
    if (last?.style === color) last.text += text;
    else spans.push({ text, style: color });
  }
  return renderSpans(spans, colored).trimEnd();
}
