/**
 * A training as a picture of a few lines: curves, how far it is, its figures, and what the model writes by now. Enter:
 * what is known, and the size of the terminal; leave: lines that fit. What matters least goes first where room is
 * short: the sample, the curves, the figures; the progress stays.
 */
import { styleText } from "node:util";
import { formatCount, formatDuration, formatLoss } from "../../../../util/format.ts";
import { drawChart, type Point, type Reference } from "../../../terminal/chart.ts";
import { breakText, columnsOf, cut, onOneLine } from "../../../terminal/columns.ts";
import type { ToldStep } from "../progress.ts";

/** What is known of a training. */
export interface View {
  /** Steps that are done, and all of the run. */
  readonly step: number;
  readonly steps: number;
  readonly training: readonly Point[];
  readonly validation: readonly Point[];
  /** What losses are compared with. */
  readonly reference: Reference;
  /** The newest step; null before the first. */
  readonly newest: ToldStep | null;
  readonly elapsedMs: number;
  readonly memoryBytes: number;
  /** What takes a while now. */
  readonly busy: string | null;
  readonly sample: { readonly step: number; readonly text: string } | null;
  /** Whether it is over: then no time is left, and the sample makes room for what follows. */
  readonly over: boolean;
}

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly ascii: boolean;
}

/** Lines of the curves, with scales and legend. */
const CHART = { least: 6, most: 13 } as const;
/** What a sample may need, in all and in lines. */
const SAMPLE = { columns: 100, most: 3 } as const;
/** Columns of the progress bar; without so many there is none. */
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
  // An empty line keeps it apart from what was printed above, and at last from what will be below.
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
  const { training, validation, reference, steps } = view;
  const loss = view.newest === null ? "" : ` ${formatLoss(view.newest.lossNats)}`;
  const measured = validation.length === 0 ? "" : ` ${formatLoss(validation[validation.length - 1][1])}`;
  return drawChart(
    [
      { name: `training${loss}`, points: training },
      { name: `validation${measured}`, points: validation, drawnAs: "marks", mark: "●" },
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

/** "█████░░░░░  52 %  step 2,184 of 4,200  42 s left" */
function progressLine(view: View, { columns, color, ascii }: FrameOptions): string {
  const { step, steps, newest, elapsedMs, busy, over } = view;
  const share = steps === 0 ? 1 : Math.min(1, step / steps);
  const percent = `${Math.floor(100 * share)} %`;
  const time = formatDuration(over ? elapsedMs : (newest?.leftMs ?? 0));
  const rest = over ? `in ${time}` : (busy ?? (newest === null ? "" : `${time} left`));
  const words = [percent, `step ${formatCount(step)} of ${formatCount(steps)}`, rest].filter(Boolean);
  let text = words.join("  ");
  if (columnsOf(text) > columns - BAR.least - 2)
    text = [percent, `${formatCount(step)}/${formatCount(steps)}`, rest].filter(Boolean).join("  ");
  const length = Math.min(BAR.most, columns - columnsOf(text) - 2);
  if (length < BAR.least) return cut(text, columns);
  const filled = Math.floor(share * length);
  const [full, empty] = ascii ? ["#", "."] : ["█", "░"];
  const bar = [full.repeat(filled), empty.repeat(length - filled)];
  return `${color ? paint("green", bar[0]) + paint("gray", bar[1]) : bar.join("")}  ${text}`;
}

function figureLines({ newest, memoryBytes }: View, { columns }: FrameOptions): string[] {
  if (newest === null) return [];
  const { tokensPerSecond, learningRate, gradientNorm } = newest;
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
  return lines;
}

function threeDigits(value: number): string {
  return value >= 100 ? formatCount(value) : value.toPrecision(3);
}

/** `after step 2,000: "…"`, in as many lines as it may have. */
function sampleLines(
  { step, text }: NonNullable<View["sample"]>,
  { columns, color, ascii }: FrameOptions,
): string[] {
  const name = `after step ${formatCount(step)}: `;
  const most = Math.min(SAMPLE.most, Math.ceil(SAMPLE.columns / columns));
  const lines = breakText(name + onOneLine(text, ascii ? "/" : "⏎"), columns, most);
  // Always as many, so that nothing jumps when the next one is shorter.
  while (lines.length < most) lines.push("");
  if (!color || !lines[0].startsWith(name)) return lines;
  return [paint("gray", name) + lines[0].slice(name.length), ...lines.slice(1)];
}

function paint(color: "green" | "gray", text: string): string {
  return text === "" ? "" : styleText(color, text, { validateStream: false });
}
