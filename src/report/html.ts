/**
 * A comparison as a self-contained HTML file. It makes no network requests, and its content security policy forbids
 * them. Text from runs (names, samples) is escaped. The charts are static without scripts; with scripts, they fit the
 * window, respond to the pointer and the arrow keys, and can hide runs.
 */
import { createHash } from "node:crypto";
import { formatCount, formatLoss } from "../util/format.ts";
import { printableLine } from "../util/printable.ts";
import { STYLE } from "./css.ts";
import { thin } from "./curves.ts";
import { escapeXml, scriptJson } from "./escape.ts";
import { CHARTS, type ChartName, chartOf, svgOf, type View, viewOf, WHOLE } from "./figure.ts";
import { CURVES, type CurvePoint, type PlottedRun, warningsAbout, X_UNITS } from "./plotted-run.ts";
import { nextSection, runsSection, samplesSection, settingsSection } from "./tables.ts";

/** The data for the page's script. */
export interface ReportData extends Opening {
  readonly runs: readonly PlottedRun[];
}

/** The initial view of the page. */
export type Opening = Pick<View, "x" | "yScale">;

/** The most points per curve. A screen cannot show more. */
const MAX_POINTS = 1500;
/** Significant digits of the values in the page. */
const DIGITS = 8;
/** Sizes of the charts before the script fits them to the window. */
export const SIZES: Readonly<Record<ChartName, { width: number; height: number }>> = {
  loss: { width: 1088, height: 460 },
  learningRate: { width: 528, height: 240 },
  gradientNorm: { width: 528, height: 240 },
};

/**
 * Returns a report as an HTML page.
 *
 * @param script the page's script (page.ts, bundled)
 * @param madeAt date and time of the report, formatted
 */
export function reportOf(
  runs: readonly PlottedRun[],
  opening: Opening,
  script: string,
  madeAt: string,
): string {
  const drawn = runs.map(thinned);
  const data: ReportData = {
    runs: drawn.map((run) => ({ ...run, samples: [], settings: {}, next: [] })),
    ...opening,
  };
  const title = `Loss of ${runs.map(({ name }) => printableLine(name)).join(" and ")}`;
  const policy = `default-src 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeXml(title)}</h1>
${warningsAbout(runs)
  .map((warning) => `<p class="warning" role="note">${escapeXml(warning)}</p>`)
  .join("\n")}
</header>
<main>
${chartsSection(drawn, opening)}
${runsSection(runs)}
${settingsSection(runs)}
${samplesSection(runs)}
${nextSection(runs)}
</main>
<footer><p>Made by nopeek plot, ${escapeXml(madeAt)}. Times count training steps only. The training loss of a step is measured before its update.</p></footer>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function thinned(run: PlottedRun): PlottedRun {
  const curves = { ...run.curves };
  for (const name of CURVES)
    curves[name] = thin(curves[name], MAX_POINTS, ([, , value]) => value).map(rounded);
  return { ...run, curves };
}

/** Rounds a point to the precision of the page. */
function rounded([step, seconds, value]: CurvePoint): CurvePoint {
  return [step, Number(seconds.toFixed(2)), Number(value.toPrecision(DIGITS))];
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function chartsSection(runs: readonly PlottedRun[], opening: Opening): string {
  const [loss, ...others] = CHARTS.map((name) => {
    const { width, height } = SIZES[name];
    const chart = chartOf(name, runs, viewOf(name, { ...WHOLE, ...opening }));
    return `<div class="chart" id="${name}">${svgOf(chart, name, width, height)}</div>`;
  });
  return `<section aria-label="Charts">
${controls(opening)}
<ul class="keys" id="keys"></ul>
${loss}
<p class="quiet">${legendText(runs)}</p>
<div class="pair">${others.join("")}</div>
</section>`;
}

/** Explains the loss chart. */
function legendText(runs: readonly PlottedRun[]): string {
  const means = [...new Set(runs.map(({ smoothing }) => smoothing))];
  const mean = means.every((steps) => steps === 1)
    ? "Lines: the loss of each step."
    : `Lines: training loss, mean of the last ${means.map(formatCount).join(" or ")} steps; single steps are drawn faintly behind them.`;
  const floors = new Set(runs.flatMap(({ floorNats }) => floorNats ?? []));
  const floor = [...floors].map(
    (nats) =>
      ` Entropy floor ${formatLoss(nats)}: the entropy of the text; a lower loss is only possible by peeking.`,
  );
  return `${mean} Lines with marks: validation loss; hollow marks: estimates of it from a few random windows. Dotted lines: reference levels. A uniform guess assigns every token the same probability.${floor.join("")}`;
}

/** Controls of the charts. Hidden until the script runs, because they need it. */
function controls({ x, yScale }: Opening): string {
  const radio = (name: string, value: string, checked: boolean, label = value) =>
    `<label><input type="radio" name="${name}" value="${value}"${checked ? " checked" : ""}>${label}</label>`;
  return `<form id="controls" hidden>
<fieldset><legend>horizontal axis</legend>${X_UNITS.map((unit) => radio("x", unit, unit === x)).join("")}</fieldset>
<fieldset><legend>loss axis</legend>${radio("y", "linear", yScale === "linear")}${radio("y", "log", yScale === "log", "logarithmic")}</fieldset>
<label><input type="checkbox" name="steps" checked>show single steps</label>
<label>skip the start <input type="range" name="skipped" min="0" max="95" step="5" value="0"></label>
</form>`;
}
