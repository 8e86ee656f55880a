/**
 * A comparison as one HTML file: it opens from the disk, and asks the network for nothing; its own policy forbids it
 * to. Words of runs (names, texts that models wrote) are shown and never obeyed. Without scripts the charts stand
 * still; with them they fit the window, follow the pointer and the arrow keys, and leave out what is not asked for.
 */
import { createHash } from "node:crypto";
import { formatCount, formatLoss } from "../util/format.ts";
import { STYLE } from "./css.ts";
import { thin } from "./curves.ts";
import { escapeLine, escapeXml, scriptJson } from "./escape.ts";
import { CHARTS, type ChartName, chartOf, svgOf, type View, viewOf, WHOLE } from "./figure.ts";
import { CURVES, type CurvePoint, type PlottedRun, warningsAbout, X_UNITS } from "./plotted-run.ts";
import { nextSection, runsSection, samplesSection, settingsSection } from "./tables.ts";

/** What the page's script reads. */
export interface ReportData extends Opening {
  readonly runs: readonly PlottedRun[];
}

/** What the page shows first. */
export type Opening = Pick<View, "x" | "yScale">;

/** More points than this a screen cannot show, and a page need not carry. */
const MOST_POINTS = 1500;
/** Significant digits. */
const DIGITS = 8;
/** Of the charts before the script fits them to the window. */
export const SIZES: Readonly<Record<ChartName, { width: number; height: number }>> = {
  loss: { width: 1088, height: 460 },
  learningRate: { width: 528, height: 240 },
  gradientNorm: { width: 528, height: 240 },
};

/**
 * @param script what makes the page live (page.ts, bundled)
 * @param madeAt when, in words
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
  const title = `Loss of ${runs.map(({ name }) => escapeLine(name)).join(" and ")}`;
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
<footer><p>Made by nopeek plot, ${escapeXml(madeAt)}. Seconds are those spent in steps; the loss of a step is the one before its update.</p></footer>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function thinned(run: PlottedRun): PlottedRun {
  const curves = { ...run.curves };
  for (const name of CURVES) curves[name] = thin(curves[name], MOST_POINTS).map(rounded);
  return { ...run, curves };
}

/** As exact as anything that is shown of it. */
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
<p class="quiet">${inWords(runs)}</p>
<div class="pair">${others.join("")}</div>
</section>`;
}

/** What is what in the chart of losses. */
function inWords(runs: readonly PlottedRun[]): string {
  const means = [...new Set(runs.map(({ smoothing }) => smoothing))];
  const mean = means.every((steps) => steps === 1)
    ? "Lines: the loss of each step."
    : `Lines: training loss, mean of the last ${means.map(formatCount).join(" or ")} steps, with each step faint behind.`;
  const floors = new Set(runs.flatMap(({ floorNats }) => floorNats ?? []));
  const floor = [...floors].map(
    (nats) => ` Entropy floor ${formatLoss(nats)}: what the text leaves open; to go below is to peek.`,
  );
  return `${mean} Lines with marks: validation loss. Dotted: levels to compare with. A blind guess takes every token to be as likely as any other.${floor.join("")}`;
}

/** Shown by the script, which alone makes them work. */
function controls({ x, yScale }: Opening): string {
  const radio = (name: string, value: string, checked: boolean, words = value) =>
    `<label><input type="radio" name="${name}" value="${value}"${checked ? " checked" : ""}>${words}</label>`;
  return `<form id="controls" hidden>
<fieldset><legend>across</legend>${X_UNITS.map((unit) => radio("x", unit, unit === x)).join("")}</fieldset>
<fieldset><legend>losses</legend>${radio("y", "linear", yScale === "linear")}${radio("y", "log", yScale === "log", "logarithmic")}</fieldset>
<label><input type="checkbox" name="steps" checked>each step</label>
<label>leave out the start <input type="range" name="skipped" min="0" max="95" step="5" value="0"></label>
</form>`;
}
