/** The sections of a report below the charts: run summary, settings, samples and next commands. */
import { formatBitsPerByte, formatCount, formatDuration, formatLoss } from "../util/format.ts";
import { printableLine } from "../util/printable.ts";
import { escapeXml } from "./escape.ts";
import type { PlottedRun, PlottedSample } from "./plotted-run.ts";

export function runsSection(runs: readonly PlottedRun[]): string {
  const facts: readonly (readonly [name: string, of: (run: PlottedRun) => string])[] = [
    ["status", ({ status }) => status],
    ["verdict", ({ verdict }) => verdict ?? "–"],
    [
      "best validation loss",
      ({ best }) =>
        best === null ? "–" : `${formatLoss(best.lossNats)} after step ${formatCount(best.step)}`,
    ],
    ["the same in bits per byte", ({ best }) => formatBitsPerByte(best?.bitsPerByte ?? null)],
    ["last training loss", ({ curves }) => lastOf(curves.smoothed)],
    ["steps", ({ step, steps }) => `${formatCount(step)} of ${formatCount(steps)}`],
    ["tokens seen", ({ step, tokensPerStep }) => formatCount(step * tokensPerStep)],
    ["training time", ({ trainedMs }) => formatDuration(trainedMs)],
    ["model", ({ model }) => model],
    ["parameters", ({ parameters }) => formatCount(parameters)],
    ["size on disk", ({ bytes }) => `${(bytes / 1e6).toFixed(1)} MB`],
    ["run directory", ({ path }) => path],
  ];
  const rows = facts.map(([name, of]) => ({ name, values: runs.map(of) }));
  return `<section aria-labelledby="runs"><h2 id="runs">Runs</h2>${table("Summary of the runs", runs, rows)}</section>`;
}

export function settingsSection(runs: readonly PlottedRun[]): string {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const valuesOf = (name: string) => runs.map(({ settings }) => settings[name] ?? "–");
  const differs = (name: string) => new Set(valuesOf(name)).size > 1;
  const different = names
    .filter(differs)
    .map((name) => ({ name: `≠ ${name}`, values: valuesOf(name), differs: true }));
  const same = names.filter((name) => !differs(name)).map((name) => ({ name, values: valuesOf(name) }));
  const rest = runs.length === 1 ? "All settings" : `${formatCount(same.length)} identical settings`;
  const above =
    different.length > 0
      ? table("Settings that differ", runs, different)
      : runs.length > 1
        ? "<p>All settings are identical.</p>"
        : "";
  return `<section aria-labelledby="settings"><h2 id="settings">Settings</h2>${above}
<details><summary>${rest}</summary>${table(rest, runs, same)}</details></section>`;
}

export function samplesSection(runs: readonly PlottedRun[]): string {
  const columns = runs.map((run) => `<div><h3>${nameOf(run)}</h3>${samplesOf(run)}</div>`);
  return `<section aria-labelledby="samples"><h2 id="samples">Samples during training</h2>
<p class="quiet">Generated at each evaluation from the same prompt with the same seed, so only the model changes.</p>
<div class="runs">${columns.join("")}</div></section>`;
}

function samplesOf({ samples, curves }: PlottedRun): string {
  if (samples.length === 0) return '<p class="quiet">The log contains no samples.</p>';
  const losses = new Map([...curves.estimates, ...curves.validation].map(([step, , loss]) => [step, loss]));
  return samples.map((sample, i) => sampleOf(sample, losses, i === samples.length - 1)).join("");
}

function sampleOf({ step, text }: PlottedSample, losses: ReadonlyMap<number, number>, open: boolean): string {
  const loss = losses.get(step);
  const suffix = loss === undefined ? "" : `, validation loss ${formatLoss(loss)}`;
  return `<details${open ? " open" : ""}><summary>step ${formatCount(step)}${suffix}</summary><pre class="sample" dir="auto">${escapeXml(text.trim())}</pre></details>`;
}

export function nextSection(runs: readonly PlottedRun[]): string {
  const parts = runs.map((run) => {
    const lines = run.next.map(
      ({ purpose, command }) =>
        `<p>${escapeXml(purpose)}</p><pre><code>${escapeXml(printableLine(command))}</code></pre>`,
    );
    return `<div><h3>${nameOf(run)}</h3>${lines.join("")}</div>`;
  });
  return `<section aria-labelledby="next"><h2 id="next">Next commands</h2><div class="runs">${parts.join("")}</div></section>`;
}

/** One line of a table: a name, and the value of each run. */
interface Row {
  readonly name: string;
  readonly values: readonly string[];
  readonly differs?: boolean;
}

/**
 * A table with one column per run. On a phone, the cells of a row are below each other, each after the name of its run
 * (see css.ts); the roles keep it a table for screen readers.
 */
function table(caption: string, runs: readonly PlottedRun[], rows: readonly Row[]): string {
  const heads = runs.map((run) => `<th role="columnheader" scope="col">${nameOf(run)}</th>`).join("");
  const names = runs.map(({ name }) => escapeXml(printableLine(name)));
  const body = rows.map(({ name, values, differs = false }) => {
    const cells = values.map((value, i) => {
      const label = runs.length > 1 ? ` data-run="${names[i]}"` : "";
      return `<td role="cell"${label}>${escapeXml(printableLine(value))}</td>`;
    });
    const mark = differs ? ' class="differs"' : "";
    return `<tr role="row"${mark}><th role="rowheader" scope="row">${escapeXml(name)}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeXml(caption)}"><table role="table"><thead role="rowgroup"><tr role="row"><td role="cell"></td>${heads}</tr></thead><tbody role="rowgroup">${body.join("")}</tbody></table></div>`;
}

function nameOf({ name }: PlottedRun): string {
  return `<bdi>${escapeXml(printableLine(name))}</bdi>`;
}

function lastOf(curve: PlottedRun["curves"]["smoothed"]): string {
  const last = curve.at(-1);
  return last === undefined ? "–" : formatLoss(last[2]);
}
