/** Curves of characters, for any terminal and without colours. */

export interface Curve {
  readonly mark: string;
  readonly values: readonly number[];
}

export interface ChartOptions {
  /** Columns in all, the scale on the left included. */
  readonly width: number;
  /** Rows of the plot. */
  readonly height: number;
  /** A level drawn through the chart, with a word on it. */
  readonly level: { readonly value: number; readonly label: string };
}

const SCALE_WIDTH = 7;

/** Curves from 0 upwards, each column the mean of as many values as fall into it. Where two meet, the later shows. */
export function drawChart(curves: readonly Curve[], { width, height, level }: ChartOptions): string[] {
  const columns = Math.max(1, width - SCALE_WIDTH);
  const binned = curves.map(({ mark, values }) => ({ mark, means: meansOf(values, columns) }));
  const top = Math.max(level.value, ...binned.flatMap(({ means }) => means));
  const rowOf = (value: number) => Math.round((1 - value / top) * (height - 1));
  const rows = Array.from({ length: height }, () => new Array<string>(columns).fill(" "));

  const levelRow = rows[rowOf(level.value)];
  levelRow.fill("┄");
  const label = ` ${level.label} `;
  levelRow.splice(Math.max(0, columns - label.length - 2), label.length, ...label);
  for (const { mark, means } of binned) {
    means.forEach((value, column) => {
      rows[rowOf(value)][column] = mark;
    });
  }
  const every = Math.max(1, Math.floor((height - 1) / 4));
  return rows.map((cells, row) => {
    const value = row === rowOf(level.value) ? level.value : (1 - row / (height - 1)) * top;
    const scaled = row === rowOf(level.value) || row % every === 0 || row === height - 1;
    return `${(scaled ? value.toFixed(2) : "").padStart(SCALE_WIDTH - 2)} ┤${cells.join("").trimEnd()}`;
  });
}

/** The means of at most `count` equal parts. */
function meansOf(values: readonly number[], count: number): number[] {
  const parts = Math.min(count, values.length);
  return Array.from({ length: parts }, (_, part) => {
    const [start, end] = [part, part + 1].map((at) => Math.floor((at * values.length) / parts));
    return values.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
  });
}
