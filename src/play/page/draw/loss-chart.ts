/** Draws the loss of a run as SVG, with its floor, its blind guess and the steps at which the mask was switched. */
import { ticks } from "d3-array";
import { svg } from "lit-html";
import type { MaskMode } from "../../masks.ts";
import type { CurvePoint } from "./loss-curve.ts";

export interface LossChart {
  readonly points: readonly CurvePoint[];
  readonly steps: number;
  readonly floorNats: number | null;
  readonly blindGuessNats: number;
  /** In pixels. */
  readonly width: number;
}

/** Consecutive points with one mask. */
export interface Stretch {
  readonly mask: MaskMode;
  readonly points: readonly CurvePoint[];
}

const MARGIN = { left: 34, right: 12, top: 18, bottom: 26 };
/** The ratio of height to width, on phones and on larger screens. */
const [TALL, FLAT] = [0.7, 0.46];
const NARROW = 480;
/** The axis ends above the highest loss by this factor. */
const HEADROOM = 1.05;
/** Distance between ticks, in pixels. */
const [TICK_X, TICK_Y] = [90, 44];
/** Labels that would overlap are left out. */
const LABEL_WIDTH = 92;
/** A label needs this much height between two lines. */
const LABEL_ROOM = 20;
/** Below the line of the blind guess. */
const LABEL_DROP = 30;
const MASK_LABELS: Readonly<Record<MaskMode, string>> = {
  on: "mask on",
  off: "mask off",
  shifted: "shifted by one",
};

/** Splits a curve where the mask was switched. */
export function stretchesOf(points: readonly CurvePoint[]): Stretch[] {
  const stretches: { mask: MaskMode; points: CurvePoint[] }[] = [];
  for (const point of points) {
    const last = stretches.at(-1);
    if (last?.mask === point.mask) last.points.push(point);
    else stretches.push({ mask: point.mask, points: [point] });
  }
  return stretches;
}

export function drawLossChart({ points, steps, floorNats, blindGuessNats, width }: LossChart) {
  const height = Math.round(width * (width < NARROW ? TALL : FLAT));
  const highest = points.reduce((most, { lossNats }) => Math.max(most, lossNats), blindGuessNats);
  const [left, right, bottom] = [MARGIN.left, width - MARGIN.right, height - MARGIN.bottom];
  const top = highest * HEADROOM;
  const x = (step: number) => left + (step / Math.max(steps, 1)) * (right - left);
  const y = (nats: number) => bottom - (nats / top) * (bottom - MARGIN.top);
  const pathOf = (line: readonly CurvePoint[]) =>
    `M${line.map(({ step, lossNats }) => `${x(step).toFixed(1)},${y(lossNats).toFixed(1)}`).join("L")}`;
  const stretches = stretchesOf(points);
  const xTicks = ticks(0, steps, Math.max(2, Math.floor(width / TICK_X))).filter(Number.isInteger);
  const yTicks = ticks(0, top, Math.max(2, Math.floor(height / TICK_Y)));
  let labelEnd = 0;
  const switches = stretches.slice(1).map(({ mask, points: [first] }) => {
    const at = x(first.firstStep - 1);
    const showsLabel = at > labelEnd && at + LABEL_WIDTH < width;
    if (showsLabel) labelEnd = at + LABEL_WIDTH;
    return svg`<line class="switched" x1=${at} x2=${at} y1=${MARGIN.top} y2=${bottom}></line>
      ${showsLabel ? svg`<text x=${at + 4} y=${MARGIN.top + LABEL_DROP}>${MASK_LABELS[mask]}</text>` : ""}`;
  });
  const curves = stretches.map((stretch, i) => {
    // A stretch starts where the one before ended, so that the curve has no gaps.
    const before = stretches[i - 1]?.points.at(-1);
    const all = before === undefined ? stretch.points : [before, ...stretch.points];
    return svg`<path class="curve ${stretch.mask}" d=${pathOf(all)}></path>`;
  });
  return svg`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="loss-description">
    ${yTicks.map(
      (tick) => svg`<line class="axis" x1=${left} x2=${right} y1=${y(tick)} y2=${y(tick)}></line>
        <text x=${left - 8} y=${y(tick) + 4} text-anchor="end">${tick}</text>`,
    )}
    ${xTicks.map((tick) => svg`<text x=${x(tick)} y=${height - 8} text-anchor=${x(tick) > right - MARGIN.right ? "end" : "middle"}>${tick}</text>`)}
    ${floorNats === null ? "" : drawFloor(floorNats, y(floorNats), left, right, bottom)}
    <text x=${right} y=${y(blindGuessNats) - 5} text-anchor="end">blind guess ${blindGuessNats.toFixed(2)}</text>
    <line class="switched" x1=${left} x2=${right} y1=${y(blindGuessNats)} y2=${y(blindGuessNats)}></line>
    ${switches}${curves}
  </svg>`;
}

function drawFloor(floorNats: number, at: number, left: number, right: number, bottom: number) {
  return svg`<rect class="below" x=${left} width=${right - left} y=${at} height=${bottom - at}></rect>
    <line class="floor" x1=${left} x2=${right} y1=${at} y2=${at}></line>
    <text x=${right} y=${at - 5} text-anchor="end">floor ${floorNats.toFixed(4)}</text>
    ${bottom - at < LABEL_ROOM ? "" : svg`<text x=${right - 6} y=${bottom - 6} text-anchor="end">below the floor: it peeks</text>`}`;
}
