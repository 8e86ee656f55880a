/** `nopeek plot`: compares the loss curves of runs in the terminal, as an SVG or as an HTML report. Read-only. */
import { existsSync, readFileSync } from "node:fs";
import { ConfigError, DataError } from "../../../errors.ts";
import { defaultSmoothing } from "../../../report/curves.ts";
import { figureOf } from "../../../report/figure.ts";
import { reportOf } from "../../../report/html.ts";
import { warningsAbout, type XUnit } from "../../../report/plotted-run.ts";
import { readPart } from "../../../run/regular-file.ts";
import { saveFile } from "../../../run/save-file.ts";
import { largestOf } from "../../../util/extremes.ts";
import { failureReason } from "../../../util/failure-reason.ts";
import { shellWord } from "../../../util/format.ts";
import { processes, thisProcess } from "../../shared/process-lock.ts";
import { hasUnicode, wantsColor } from "../../terminal/colors.ts";
import { Terminal } from "../../terminal/output.ts";
import { findRuns, namesOf } from "./find-runs.ts";
import { type ReadRun, readRun, smoothed } from "./read-run.ts";
import { comparisonLines } from "./terminal-plot.ts";

export interface PlotFlags {
  readonly svg?: string;
  readonly html?: string;
  readonly x: XUnit;
  readonly log?: boolean;
  readonly smooth?: number;
  readonly json?: boolean;
}

export async function plot(words: readonly string[], flags: PlotFlags): Promise<void> {
  checkFlags(flags);
  const terminal = new Terminal();
  const { paths, others } = findRuns(words);
  for (const other of others) terminal.note(`${other}: contains no run; skipped`);
  const names = namesOf(paths);
  const self = thisProcess();
  const read: ReadRun[] = [];
  for (const [i, path] of paths.entries()) read.push(await readRun(path, names[i], processes(path, self)));
  // Smooth all runs equally: more smoothing makes a run look more stable.
  const smoothing = flags.smooth ?? defaultSmoothing(largestOf(read.map(({ train }) => train.count)));
  const runs = read.map((run) => smoothed(run, smoothing));
  const yScale = flags.log ? "log" : "linear";

  // Write files first, so that an error comes before any other output.
  const written: string[] = [];
  if (flags.svg !== undefined) written.push(save(flags.svg, figureOf(runs, flags.x, yScale), "an SVG image"));
  if (flags.html !== undefined) {
    const script = readFileSync(new URL("../../../report/browser/page.js", import.meta.url), "utf8");
    const madeAt = `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`;
    written.push(save(flags.html, reportOf(runs, { x: flags.x, yScale }, script, madeAt), "an HTML page"));
  }
  if (flags.json) for (const run of runs) terminal.json(run);
  else {
    for (const warning of warningsAbout(runs)) terminal.note(`warning: ${warning}`);
    const { columns = 80, rows = 30 } = process.stdout;
    const color = wantsColor(process.stdout);
    const ascii = !hasUnicode();
    for (const line of comparisonLines(runs, { x: flags.x, yScale, columns, rows, color, ascii }))
      terminal.drawing(line);
  }
  for (const file of written) terminal.note(`wrote ${file}`);
  if (written.length === 0 && !flags.json)
    terminal.note(`for a full report: npx nopeek plot ${words.map(shellWord).join(" ")} --html report.html`);
}

function checkFlags({ smooth = 1, svg, html }: PlotFlags): void {
  if (!Number.isSafeInteger(smooth) || smooth < 1)
    throw new ConfigError(`--smooth must be a whole number of steps ≥ 1: got ${smooth}; 1 shows each step`);
  if (svg !== undefined && svg === html)
    throw new ConfigError(`--svg and --html must name different files: got ${svg} for both`);
}

/**
 * Writes a file. Only a file of the same kind is overwritten.
 *
 * @throws DataError if another kind of file exists there, or the file cannot be written
 */
function save(file: string, contents: string, kind: string): string {
  try {
    if (existsSync(file) && startOf(file) !== contents.slice(0, KIND_LENGTH))
      throw new DataError(`${file}: already exists and is not ${kind}; name another file`);
    saveFile(file, contents);
  } catch (cause) {
    if (cause instanceof DataError || !(cause instanceof Error)) throw cause;
    throw new DataError(`${file}: cannot be written: ${reasonOf(cause)}`, { cause });
  }
  return file;
}

/** The characters that identify the kind of a file: "<svg ", "<!doc". */
const KIND_LENGTH = 5;

function startOf(file: string): string {
  return new TextDecoder().decode(readPart(file, 0, KIND_LENGTH, "follow"));
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "its folder does not exist";
    case "EISDIR":
      return "it is a folder; name a file";
    case "EACCES":
      return "permission denied";
    default:
      return failureReason(error) ?? error.message;
  }
}
