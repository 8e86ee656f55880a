/** Draws a matrix as SVG: a color for each number, hatching for what is hidden, numbers if there is room. */
import { nothing, svg } from "lit-html";

/** How a cell is drawn: hidden cells are hatched; `peek` is the color of what should not be visible. */
export type Tone = "plain" | "peek" | "hidden";

export interface DrawnMatrix {
  /** Says what the matrix is, for readers of the screen. */
  readonly label: string;
  readonly values: readonly (readonly number[])[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly toneOf: (row: number, column: number) => Tone;
  /** The number in a cell; null draws none. */
  readonly format: ((value: number) => string) | null;
  /** The values with no color and with full color. Default: the least and the greatest. */
  readonly range?: readonly [least: number, greatest: number];
  /** A framed row. Default: none. */
  readonly selected?: number;
  /** Called with the row under the pointer. */
  readonly onRow?: (row: number) => void;
}

/** The size of the cells of a matrix, in the units of its picture. */
const MOST_WIDTH = 256;
const LARGEST_CELL = 56;
/** Cells at least as large have room for numbers of four characters. */
const ROOM_FOR_NUMBERS = 30;
/** Cells at least as large have room for 0 and −∞. */
const ROOM_FOR_SIGNS = 14;
const SHADES = 10;
/** What should not be visible has a color even if its number is small. */
const LEAST_PEEK = 0.12;

export function drawMatrix(matrix: DrawnMatrix) {
  const { label, rows, columns, selected, onRow } = matrix;
  const cell = Math.min(LARGEST_CELL, MOST_WIDTH / columns.length);
  const font = Math.min(14, cell * 0.72);
  const longest = rows.reduce((most, name) => Math.max(most, name.length), 1);
  const [left, top] = [Math.max(14, longest * font * 0.62 + 6), font + 6];
  const [width, height] = [columns.length * cell, rows.length * cell];
  const middle = (i: number) => (i + 0.5) * cell;
  const point =
    onRow === undefined
      ? nothing
      : ({ currentTarget, clientY }: PointerEvent) => {
          if (!(currentTarget instanceof Element)) return;
          const box = currentTarget.getBoundingClientRect();
          const row = Math.floor(((clientY - box.top) / box.height) * rows.length);
          onRow(Math.max(0, Math.min(rows.length - 1, row)));
        };
  return svg`<svg class=${cell < ROOM_FOR_NUMBERS ? "matrix many" : "matrix"} viewBox="0 0 ${left + width + 1} ${top + height + 1}" width=${left + width + 1} role="img" aria-label=${label}>
    <g transform="translate(${left} ${top})">
      ${columns.map((name, i) => svg`<text x=${middle(i)} y="-5" font-size=${font} text-anchor="middle">${name}</text>`)}
      ${rows.map((name, i) => svg`<text x="-5" y=${middle(i) + font * 0.35} font-size=${font} text-anchor="end">${name}</text>`)}
      ${shadesOf(matrix, cell)}
      <path class="grid" d=${gridOf(rows.length, columns.length, cell)}></path>
      ${numbersOf(matrix, cell)}
      ${selected === undefined ? "" : svg`<rect class="selected" y=${selected * cell} width=${width} height=${cell}></rect>`}
      <rect class="target" width=${width} height=${height} @pointermove=${point} @pointerdown=${point}></rect>
    </g>
  </svg>`;
}

/** One path for all cells of a shade: a matrix has hundreds of cells. */
function shadesOf({ values, toneOf, range }: DrawnMatrix, cell: number) {
  const level = levelsOf(range ?? rangeOf(values));
  const shades = new Map<string, { tone: Tone; opacity: number; path: string }>();
  values.forEach((row, t) => {
    row.forEach((value, s) => {
      const tone = toneOf(t, s);
      const shade = Math.round(level(value) * SHADES) / SHADES;
      const opacity = { hidden: 1, plain: shade, peek: LEAST_PEEK + (1 - LEAST_PEEK) * shade }[tone];
      const name = `${tone} ${opacity}`;
      const path = `${shades.get(name)?.path ?? ""}M${s * cell} ${t * cell}h${cell}v${cell}h${-cell}z`;
      shades.set(name, { tone, opacity, path });
    });
  });
  return [...shades.values()].map(
    ({ tone, opacity, path }) =>
      svg`<path class=${tone} fill-opacity=${opacity} d=${path}></path>${tone === "hidden" ? svg`<path class="hatch" d=${path}></path>` : ""}`,
  );
}

/** The least and the greatest of the numbers that hide nothing. */
export function rangeOf(values: DrawnMatrix["values"]): [number, number] {
  const finite = values.flat().filter((value) => Math.abs(value) < 1e6);
  return [
    finite.reduce((low, value) => Math.min(low, value), finite[0]),
    finite.reduce((high, value) => Math.max(high, value), finite[0]),
  ];
}

/** Where a value lies in a range, from 0 to 1. */
function levelsOf([least, greatest]: readonly [number, number]): (value: number) => number {
  return (value) => (greatest > least ? Math.max(0, Math.min(1, (value - least) / (greatest - least))) : 0);
}

function gridOf(rows: number, columns: number, cell: number): string {
  const lines = (count: number, line: (at: number) => string) =>
    Array.from({ length: count + 1 }, (_, i) => line(i * cell)).join("");
  return `${lines(rows, (y) => `M0 ${y}h${columns * cell}`)}${lines(columns, (x) => `M${x} 0v${rows * cell}`)}`;
}

function numbersOf({ values, toneOf, format, range }: DrawnMatrix, cell: number) {
  if (format === null || cell < ROOM_FOR_SIGNS) return "";
  const level = levelsOf(range ?? rangeOf(values));
  const font = Math.min(15, cell * (cell < ROOM_FOR_NUMBERS ? 0.6 : 0.36));
  return values.map((row, t) =>
    row.map((value, s) => {
      const text = format(value);
      if (cell < ROOM_FOR_NUMBERS && text.length > 2) return "";
      const tone = toneOf(t, s);
      const name = tone !== "hidden" && level(value) > 0.55 ? "number over" : "number";
      return svg`<text class=${name} x=${(s + 0.5) * cell} y=${(t + 0.5) * cell + font * 0.36} font-size=${font} text-anchor="middle">${text}</text>`;
    }),
  );
}
