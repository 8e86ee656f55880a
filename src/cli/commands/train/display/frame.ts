/**
 * Draws the live display of a training run: loss curves, progress, figures, and a sample of the model. If the terminal
 * is small, the least important parts go first: the sample, the curves, the figures. The progress always stays.
 */
import { formatBitsPerByte, formatCount, formatDuration, formatLoss } from "../../../../util/format.ts";
import { drawChart, type Point, type Reference } from "../../../terminal/chart.ts";
import { breakText, columnsOf, cut, onOneLine } from "../../../terminal/columns.ts";
import { renderSpans, styled } from "../../../terminal/styled.ts";
import { type StepProgress, timeLeft } from "../progress.ts";

/** The state of a training run. */
export interface View {
  /** Steps done, and total number of steps. */
  readonly step: number;
  readonly steps: number;
  readonly training: readonly Point[];
  readonly validation: readonly Point[];
  readonly estimates: readonly Point[];
  /** The last validation loss in bits per byte; null if it is not known. */
  readonly bitsPerByte: number | null;
  /** The loss to compare with. */
  readonly reference: Reference;
  /** The latest step; null before the first. */
  readonly latest: StepProgress | null;
  readonly elapsedMs: number;
  readonly memoryBytes: number;
  /** An activity that takes a while; null if there is none. */
  readonly busy: string | null;
  readonly sample: { readonly step: number; readonly text: string } | null;
  /** Whether the run is over; then the sample makes room for the lines that follow. */
  readonly over: boolean;
}

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly ascii: boolean;
}

/** Lines of the chart, with axes and legend. */
const CHART = { least: 6, most: 20 } as const;
/** Width of a sample in all, and its most lines. */
const SAMPLE = { columns: 100, most: 3 } as const;
/** Columns of the progress bar. With fewer than the least there is none. */
const BAR = { least: 6, most: 40 } as const;

export function drawFrame(view: View, options: FrameOptions): string[] {
  const { rows } = options;
  const progress = progressLine(view, options);
  const figures = figureLines(view, options);
  const sample = view.over || view.sample === null ? [] : sampleLines(view.sample, options);
  let room = rows - 1;
  const take = (wanted: number, least = wanted) => {
    const taken = Math.min(wanted, room) < least ? 0 : Math.min(wanted, room);
    room -= taken;
    return taken;
  };
  const figuresShown = take(figures.length);
  // An empty line separates the display from the text above, and at the end from the text below.
  const gap = take(view.over ? 2 : 1);
  let chart = take(CHART.least);
  const sampleShown = take(sample.length, 1);
  if (chart > 0) chart += take(CHART.most - chart, 0);
  return [
    ...(gap > 0 ? [""] : []),
    ...(chart > 0 ? chartLines(view, options, chart) : []),
    progress,
    ...figures.slice(0, figuresShown),
    ...sample.slice(0, sampleShown),
    ...(view.over && gap > 0 ? [""] : []),
  ];
}

function chartLines(view: View, { columns, color, ascii }: FrameOptions, height: number): string[] {
  const { training, validation, estimates, bitsPerByte, reference, steps } = view;
  const loss = view.latest === null ? "" : ` ${formatLoss(view.latest.lossNats)}`;
  const perByte = bitsPerByte === null ? "" : `, ${formatBitsPerByte(bitsPerByte)} bits/byte`;
  const measured =
    validation.length === 0 ? "" : ` ${formatLoss(validation[validation.length - 1][1])}${perByte}`;
  return drawChart(
    [
      { name: `training${loss}`, points: training },
      { name: `validation${measured}`, points: validation, drawnAs: "marks", mark: "●" },
      ...(estimates.length === 0
        ? []
        : [{ name: "estimated", points: estimates, drawnAs: "marks" as const, mark: "·", color: 1 }]),
    ],
    {
      width: columns,
      height,
      color,
      ascii,
      references: [{ ...reference, name: `${reference.name} ${formatLoss(reference.value)}` }],
      yScale: "log",
      xName: "step",
      xReaches: [1, steps],
    },
  );
}

/** "█████░░░░░  52%  step 2,184 of 4,200  42 s left" */
function progressLine(view: View, { columns, color, ascii }: FrameOptions): string {
  const { step, steps, latest, elapsedMs, busy, over } = view;
  const share = steps === 0 ? 1 : Math.min(1, step / steps);
  const percent = `${Math.floor(100 * share)}%`;
  const took = `${step === steps ? "done in" : "in"} ${formatDuration(elapsedMs)}`;
  const rest = over ? took : (busy ?? (latest === null ? "" : timeLeft(latest.leftMs)));
  const words = [percent, `step ${formatCount(step)} of ${formatCount(steps)}`, rest].filter(Boolean);
  let text = words.join("  ");
  if (columnsOf(text) > columns - BAR.least - 2)
    text = [percent, `${formatCount(step)}/${formatCount(steps)}`, rest].filter(Boolean).join("  ");
  const length = Math.min(BAR.most, columns - columnsOf(text) - 2);
  if (length < BAR.least) return cut(text, columns);
  const filled = Math.floor(share * length);
  const [full, empty] = ascii ? ["#", "."] : ["█", "░"];
  const bar = [styled("green", full.repeat(filled)), styled("gray", empty.repeat(length - filled))];
  return renderSpans([...bar, "  ", styled("bold", percent), text.slice(percent.length)], color);
}

function figureLines({ latest, memoryBytes }: View, { columns, color }: FrameOptions): string[] {
  if (latest === null) return [];
  const { tokensPerSecond, learningRate, gradientNorm } = latest;
  const figures = [
    `${formatCount(tokensPerSecond)} tokens/s`,
    `learning rate ${threeDigits(learningRate)}`,
    `gradient norm ${threeDigits(gradientNorm)}`,
    `memory ${formatCount(memoryBytes / 1e6)} MB`,
  ];
  const lines: string[] = [];
  for (const figure of figures) {
    const longer = lines.length === 0 ? figure : `${lines[lines.length - 1]}  ${figure}`;
    if (lines.length > 0 && columnsOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(cut(figure, columns));
  }
  return lines.map((line) => renderSpans([styled("gray", line)], color));
}

function threeDigits(value: number): string {
  return value >= 100 ? formatCount(value) : value.toPrecision(3);
}

/** `after step 2,000: "…"`, in at most the allowed number of lines. */
function sampleLines(
  { step, text }: NonNullable<View["sample"]>,
  { columns, color, ascii }: FrameOptions,
): string[] {
  const name = `after step ${formatCount(step)}: `;
  const most = Math.min(SAMPLE.most, Math.ceil(SAMPLE.columns / columns));
  const lines = breakText(name + onOneLine(text, ascii ? "/" : "⏎"), columns, most, ascii ? "..." : "…");
  // Always the same number of lines, so that nothing jumps when the next sample is shorter.
  while (lines.length < most) lines.push("");
  if (!color || !lines[0].startsWith(name)) return lines;
  return [renderSpans([styled("gray", name), lines[0].slice(name.length)], color), ...lines.slice(1)];
}
