/**
 * Curves as lines of text, for any terminal. Enter: series of points, levels to compare them with, and the size in
 * columns and lines; leave: that many lines, none of them wider.
 *
 *   4.17 ┤⢣┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
 *      2 ┤⠈⢆
 *      1 ┤ ⠈⠢⠤●⣀⣀●
 *   step  1       500    1,000
 *        ⣀ training  ● validation  ┄ uniform 4.17
 */
import { styleText } from "node:util";
import { type Axis, axisOver, fits, formatTick, placeOf, type ScaleKind, ticksOf } from "./axis.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  /** In any order; those that are not finite, or that a logarithm does not take, are left out. */
  readonly points: readonly Point[];
  /** "line": dots, eight in a character, joined. "marks": one character wherever there is a point. */
  readonly drawnAs?: "line" | "marks";
  /** The character of its marks; without one, each series has one of its own. */
  readonly mark?: string;
  /** Which of the colors, from 0; without it, each series has one of its own. */
  readonly color?: number;
}

/** A level drawn through the chart. */
export interface Reference {
  readonly name: string;
  readonly value: number;
}

export interface ChartOptions {
  /** Columns and lines in all: with scales and legend, which give way where there is no room. */
  readonly width: number;
  readonly height: number;
  /** Without it, the first series may be a line and the others are marks, so that they can be told apart. */
  readonly color: boolean;
  /** For terminals without Unicode: marks instead of lines, and no character beyond ASCII. */
  readonly ascii?: boolean;
  readonly references?: readonly Reference[];
  readonly xScale?: ScaleKind;
  readonly yScale?: ScaleKind;
  /** What x counts, left of its scale. */
  readonly xName?: string;
  /** Values that the axes reach, whatever the points do: a run's last step, for one. */
  readonly xReaches?: readonly number[];
  readonly yReaches?: readonly number[];
  /** Whether a line below says what is what; it does unless told otherwise. */
  readonly legend?: boolean;
}

type Color = "cyan" | "yellow" | "magenta" | "green" | "blue" | "red" | "gray";

/** One column of one line. */
interface Cell {
  readonly text: string;
  readonly color: Color | null;
}

const COLORS: readonly Color[] = ["cyan", "yellow", "magenta", "green", "blue", "red"];
const MARKS = { unicode: "●○×+◆◇■□▲△", ascii: "ox+*#@%&$=" } as const;
const LEVEL = { unicode: "┄", ascii: "-" } as const;
const EDGE = { unicode: " ┤", ascii: " |" } as const;
/** The legend's picture of a line. */
const LINE = "⣀";
/** Dots of a Braille character: two columns of four. Each has its bit, counted from above. */
const [DOT_COLUMNS, DOT_ROWS] = [2, 4];
const DOT_BITS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const BRAILLE = 0x2800;
const EMPTY: Cell = { text: " ", color: null };
/** The share of the plot's lines that may have a round value beside them. */
const ROWS_WITH_LABEL = 0.6;
/** In so few lines, values may stand in lines that touch. */
const CROWDED = 4;
/** Columns that a value on the x axis takes, with room beside it. */
const X_LABEL_WIDTH = 12;

export function drawChart(series: readonly Series[], options: ChartOptions): string[] {
  const { width, height, references = [], legend = true } = options;
  const drawn = series.map((each, index) => ({ ...each, ...looksOf(each, index, options) }));
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
  const labelWidth = Math.max(
    options.xName?.length ?? 0,
    ...[...labels.values()].map(({ length }) => length),
  );
  const edge = EDGE[options.ascii ? "ascii" : "unicode"];
  const left = labelWidth + edge.length;
  // Where the scale would leave no room for the curves, it goes.
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

function looksOf(series: Series, index: number, { color, ascii = false }: ChartOptions) {
  const { drawnAs = "line", mark } = series;
  const isLine = drawnAs === "line" && !ascii && (color || index === 0);
  const marks = Array.from(ascii ? MARKS.ascii : MARKS.unicode);
  const ownMark = ascii && mark !== undefined && mark > "~" ? undefined : mark;
  const symbol = isLine ? LINE : (ownMark ?? marks[index % marks.length]);
  return { isLine, symbol, color: COLORS[(series.color ?? index) % COLORS.length] };
}

/** The values at the left, by their row: those of the levels first, then round ones where there is room. */
function rowLabels(axis: Axis, references: readonly Reference[], rows: number): Map<number, string> {
  const labels = new Map<number, string>();
  const add = (value: number, room: number) => {
    const row = rowOf(axis, value, rows);
    for (let near = row - room; near <= row + room; near++) if (labels.has(near)) return;
    labels.set(row, formatTick(value));
  };
  for (const { value } of references) if (fits(axis.kind, value)) add(value, 0);
  const ticks = ticksOf(axis, Math.max(2, Math.round(rows * ROWS_WITH_LABEL)));
  // Without a round value in it, a short axis has its ends.
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

/** Round values of x below their columns, as many as stand apart. */
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

/** What is what, as many to a line as fit. */
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
    if (last !== undefined && last.length + 2 + entry.length <= width) last.push(...plain("  "), ...entry);
    else lines.push(entry);
  }
  return lines;
}

/** The field that curves are drawn on; what is drawn later stands before what was there. */
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

  /** The mean of the points that fall into each of `count` columns; undefined where there is none. */
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

/** Calls `dot` for every place on the way, ends included. */
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
  return Array.from(text, (character) => ({ text: character, color: null }));
}

/** Neighbors of one color share its codes. */
function join(cells: readonly Cell[], colored: boolean): string {
  const text = cells.map((cell) => cell.text).join("");
  if (!colored) return text.trimEnd();
  let line = "";
  for (let start = 0; start < cells.length; ) {
    const { color } = cells[start];
    let end = start;
    while (end < cells.length && cells[end].color === color) end++;
    const piece = cells
      .slice(start, end)
      .map((cell) => cell.text)
      .join("");
    line += color === null ? piece : styleText(color, piece, { validateStream: false });
    start = end;
  }
  return line.trimEnd();
}
