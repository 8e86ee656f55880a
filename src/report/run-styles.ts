/**
 * The style of each run: a color, a dash pattern and a mark, so that two runs never differ in color alone. The colors
 * are distinguishable with any kind of color vision and have enough contrast on light and dark backgrounds.
 */
import {
  type SymbolType,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
} from "d3-shape";

export interface RunStyle {
  /** Index into the palette's colors. */
  readonly color: number;
  /** Lengths of dashes and gaps. Empty for a solid line. */
  readonly dashes: readonly number[];
  readonly symbol: SymbolType;
}

/** The colors of a chart or page. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly mute: string;
  readonly grid: string;
  readonly runs: readonly string[];
}

export const LIGHT: Palette = {
  paper: "#ffffff",
  ink: "#1c2128",
  mute: "#57606a",
  grid: "#dde1e6",
  runs: ["#1877d2", "#b1590a", "#5f7251", "#a05e95", "#533200", "#00333e"],
};

export const DARK: Palette = {
  paper: "#14171c",
  ink: "#e8eaed",
  mute: "#a3abb5",
  grid: "#31363d",
  runs: ["#4e8ee3", "#e06932", "#50f9a0", "#b87390", "#fde32e", "#d1f5ff"],
};

const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4]];
const SYMBOLS = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolStar];

/** Returns the style of the run at this index in a comparison. */
export function styleOf(index: number): RunStyle {
  return {
    color: index % LIGHT.runs.length,
    dashes: DASHES[index % DASHES.length],
    symbol: SYMBOLS[index % SYMBOLS.length],
  };
}

/** Returns CSS for the classes in chart-svg.ts: `s2` strokes and `f2` fills in the color of the third run. */
export function paletteCss(palette: Palette): string {
  const { paper, ink, mute, grid, runs } = palette;
  return [
    `.paper{fill:${paper}}.ink{fill:${ink}}.mute{fill:${mute}}.grid{stroke:${grid}}.level{stroke:${mute}}`,
    ...runs.map((color, i) => `.s${i}{stroke:${color}}.f${i}{fill:${color}}`),
  ].join("");
}
