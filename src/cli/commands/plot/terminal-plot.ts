/** A comparison in text: loss curves, a table of the runs, and the settings that differ. */
import { chartOf, type View, WHOLE } from "../../../report/figure.ts";
import type { PlottedRun, XUnit } from "../../../report/plotted-run.ts";
import { largestOf } from "../../../util/extremes.ts";
import { formatBitsPerByte, formatCount, formatDuration, formatLoss } from "../../../util/format.ts";
import { printableLine } from "../../../util/printable.ts";
import { drawChart, type Point, type Reference, type Series } from "../../terminal/chart.ts";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  /** Whether to use ASCII characters only. */
  readonly ascii: boolean;
}

/** Larger charts are no easier to read. */
const MAX_CHART = { columns: 120, rows: 26 };
/** Rows left for the text below the chart. */
const ROWS_BELOW = 8;
const LEAST_ROWS = 10;
/** The mark of an estimate is small, because it is uncertain. */
const ESTIMATE = "·";
/** With more runs than this, the chart shows only one curve per run. */
const RUNS_WITH_BOTH = 2;

export function comparisonLines(
  runs: readonly PlottedRun[],
  {
    x,
    yScale,
    columns,
    rows,
    color,
    ascii,
  }: TerminalSize & { readonly x: XUnit; readonly yScale: View["yScale"] },
): string[] {
  const different = differenceLines(runs, columns);
  return [
    ...curveLines(runs, { ...WHOLE, x, yScale, steps: false }, { columns, rows, color, ascii }),
    "",
    ...summaryLines(runs, columns),
    ...(different.length > 0 ? ["", "settings that differ", ...different] : []),
  ];
}

function curveLines(
  runs: readonly PlottedRun[],
  view: View,
  { columns, rows, color, ascii }: TerminalSize,
): string[] {
  const chart = chartOf("loss", runs, view);
  const drawn = chart.curves.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) {
    const isImported = runs.every(({ status }) => status === "imported");
    return [isImported ? "imported: no training to plot" : "no step yet"];
  }
  const marked = drawn.filter(({ drawnAs }) => drawnAs === "marked");
  const count = runs.filter(({ curves }) => curves.train.length > 0).length;
  const enough = count > RUNS_WITH_BOTH && marked.length === count;
  const shown =
    count <= RUNS_WITH_BOTH ? drawn : enough ? marked : drawn.filter((curve) => curve.drawnAs === "line");
  const series: Series[] = shown.map(({ name, drawnAs, points, style }) => ({
    name: printableLine(name),
    color: style.color,
    drawnAs: drawnAs === "hollow" || (drawnAs === "marked" && !enough) ? "marks" : "line",
    ...(drawnAs === "hollow" && { mark: ESTIMATE }),
    points: points.map(({ x, y }): Point => [x, y]),
  }));
  const references: Reference[] = chart.levels.map(({ name, value }) => ({ name, value }));
  return drawChart(series, {
    width: Math.min(columns, MAX_CHART.columns),
    height: Math.max(LEAST_ROWS, Math.min(MAX_CHART.rows, rows - ROWS_BELOW)),
    color,
    ascii,
    references,
    yScale: view.yScale,
    xName: chart.xName.split(" ")[0],
  });
}

/** One line per run, or one line per value if that is too wide. */
function summaryLines(runs: readonly PlottedRun[], columns: number): string[] {
  const heads = [
    "run",
    "best loss",
    "bits/byte",
    "last loss",
    "steps",
    "tokens",
    "trained",
    "parameters",
    "status",
  ];
  const rows = runs.map((run) => [
    printableLine(run.name),
    run.best === null ? "–" : formatLoss(run.best.lossNats),
    formatBitsPerByte(run.best?.bitsPerByte ?? null),
    lossOf(run.curves.smoothed.at(-1)?.[2]),
    `${formatCount(run.step)}/${formatCount(run.steps)}`,
    formatCount(run.step * run.tokensPerStep),
    formatDuration(run.trainedMs),
    formatCount(run.parameters),
    run.status,
  ]);
  const table = [heads, ...rows];
  const widths = heads.map((_, column) => largestOf(table.map((row) => row[column].length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd(),
  );
  if (lines.every((line) => line.length <= columns)) return lines;
  return rows.flatMap((row) => row.map((cell, i) => (i === 0 ? cell : `  ${heads[i].padEnd(11)} ${cell}`)));
}

function differenceLines(runs: readonly PlottedRun[], columns: number): string[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  return names.flatMap((name) => {
    const values = runs.map(({ settings }) => printableLine(settings[name] ?? "–"));
    if (new Set(values).size === 1) return [];
    const line = `  ${name}  ${values.join(" | ")}`;
    if (line.length <= columns) return [line];
    return [`  ${name}`, ...values.map((value) => `    ${value}`)];
  });
}

function lossOf(nats: number | undefined): string {
  return nats === undefined ? "–" : formatLoss(nats);
}
