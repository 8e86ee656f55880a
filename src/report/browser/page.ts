/** The script of a report: fits the charts to the window and handles the pointer, the arrow keys and the controls. */
import { formatCount, formatLoss } from "../../util/format.ts";
import { printableLine } from "../../util/printable.ts";
import { type ChartCurve, type ChartPoint, drawKey, type Frame, frameOf } from "../chart-svg.ts";
import { nearestPoint } from "../curves.ts";
import { escapeXml } from "../escape.ts";
import { CHARTS, type ChartName, chartOf, svgOf, type View, viewOf, WHOLE } from "../figure.ts";
import type { ReportData } from "../html.ts";
import { X_UNITS } from "../plotted-run.ts";
import { styleOf } from "../run-styles.ts";

const HEIGHTS: Readonly<Record<ChartName, number>> = { loss: 460, learningRate: 240, gradientNorm: 240 };
/** Maximum ratio of a chart's height to its width, for phones. */
const MAX_ASPECT = 0.85;
const NARROW = 600;
const KEY = { width: 34, height: 14 };
/** Arrow keys move by this share of the axis, or ten times as far with Shift. */
const KEY_STEP = 0.01;
const SVG = "http://www.w3.org/2000/svg";

const data: ReportData = JSON.parse(find("data").textContent ?? "");
let view: View = { ...WHOLE, x: data.x, yScale: data.yScale };

/** An interactive chart. */
class LiveChart {
  readonly #name: ChartName;
  readonly #box: HTMLElement;
  readonly #tip = document.createElement("div");
  readonly #cross = document.createElementNS(SVG, "g");
  #curves: readonly ChartCurve[] = [];
  #frame: Frame | null = null;
  #unit = "";
  /** Position of the tooltip as a share of the axis, or null if it is hidden. */
  #at: number | null = null;

  constructor(name: ChartName) {
    this.#name = name;
    this.#box = find(name);
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "group");
    this.#box.setAttribute("aria-label", "chart; use the arrow keys to read values");
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    this.#tip.setAttribute("role", "status");
    this.#box.addEventListener("pointermove", (event) => this.#point(event));
    this.#box.addEventListener("pointerdown", (event) => this.#point(event));
    this.#box.addEventListener("pointerleave", (event) => {
      // A touch leaves as soon as the finger is lifted. Keep the tooltip until the next touch.
      if (event.pointerType !== "touch") this.#leave();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!(target instanceof Node && this.#box.contains(target))) this.#leave();
    });
    this.#box.addEventListener("blur", () => this.#leave());
    this.#box.addEventListener("keydown", (event) => this.#press(event));
  }

  draw(): void {
    const width = Math.max(240, Math.floor(this.#box.clientWidth));
    const height = Math.min(HEIGHTS[this.#name], Math.round(width * MAX_ASPECT));
    const chart = chartOf(this.#name, data.runs, viewOf(this.#name, view));
    this.#box.innerHTML = svgOf(chart, this.#name, width, height);
    this.#box.append(this.#tip);
    this.#box.querySelector("svg")?.append(this.#cross);
    this.#curves = chart.curves.filter(({ drawnAs }) => drawnAs !== "faint");
    this.#frame = frameOf(chart, width, height);
    this.#unit = chart.xName;
    this.#leave();
  }

  #point(event: PointerEvent): void {
    if (this.#frame === null) return;
    const { left, right } = this.#frame;
    const x = event.clientX - this.#box.getBoundingClientRect().left;
    this.#readOff((x - left) / (right - left));
  }

  #press(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#leave();
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const by = direction * KEY_STEP * (event.shiftKey ? 10 : 1);
    this.#readOff(this.#at === null ? (direction > 0 ? 0 : 1) : this.#at + by);
  }

  #leave(): void {
    this.#at = null;
    this.#tip.hidden = true;
    this.#cross.replaceChildren();
  }

  /** Shows the values nearest to a position on the axis. */
  #readOff(place: number): void {
    const frame = this.#frame;
    const at = Math.min(1, Math.max(0, place));
    if (frame === null) return;
    const wanted = frame.x.invert(frame.left + at * (frame.right - frame.left));
    const found = this.#curves.flatMap((curve) => {
      const point = nearestPoint(curve.points, wanted);
      return point === null ? [] : [{ curve, point }];
    });
    if (found.length === 0) return;
    const distance = ({ point }: { readonly point: ChartPoint }) => Math.abs(point.x - wanted);
    const { point: next } = found.reduce((best, each) => (distance(each) < distance(best) ? each : best));
    this.#at = at;
    this.#tip.innerHTML = `<b>${this.#formatX(next)}</b><dl>${found.map((each) => this.#rowOf(each.curve, each.point, next)).join("")}</dl>`;
    this.#tip.hidden = false;
    this.#placeTip(frame, frame.x(next.x));
    this.#drawCross(frame, next, found);
  }

  #formatX({ x, step }: ChartPoint): string {
    if (view.x === "steps") return `step ${formatCount(step)}`;
    return view.x === "tokens" ? `${formatCount(x)} tokens` : `${x.toFixed(2)} ${escapeXml(this.#unit)}`;
  }

  #rowOf(curve: ChartCurve, point: ChartPoint, next: ChartPoint): string {
    const value = this.#name === "loss" ? formatLoss(point.y) : point.y.toPrecision(4);
    // Evaluations are rare, so the nearest one may be at another step.
    const where = point.step === next.step ? "" : ` (step ${formatCount(point.step)})`;
    return `${keyOf(curve)}<dt>${escapeXml(printableLine(curve.shortName))}</dt><dd>${value}${where}</dd>`;
  }

  /** Places the tooltip on the side with room for it, or below the chart in a narrow window. */
  #placeTip({ width, height, top }: Frame, x: number): void {
    const wide = this.#tip.offsetWidth;
    const left = x + 12 + wide <= width ? x + 12 : x - 12 - wide;
    this.#tip.style.left = `${Math.max(0, Math.min(left, width - wide))}px`;
    this.#tip.style.top = `${width < NARROW ? height : top}px`;
  }

  #drawCross(
    frame: Frame,
    next: ChartPoint,
    found: readonly { curve: ChartCurve; point: ChartPoint }[],
  ): void {
    const dots = found.map(({ curve, point }) => {
      const [x, y] = [frame.x(point.x), frame.y(point.y)];
      return Number.isFinite(y) ? `<circle class="f${curve.style.color}" cx="${x}" cy="${y}" r="4"/>` : "";
    });
    this.#cross.innerHTML = `<path class="cross" d="M${frame.x(next.x)},${frame.top}V${frame.bottom}"/>${dots.join("")}`;
  }
}

function find(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page lacks #${id}`);
  return found;
}

function keyOf(curve: ChartCurve): string {
  const { width, height } = KEY;
  return `<svg width="${width}" height="${height}" aria-hidden="true" fill="none">${drawKey(curve, 2, height / 2)}</svg>`;
}

/** Fills the legend: a checkbox with key and name for each run. Unchecked runs are hidden. */
function makeKeys(redraw: () => void): void {
  find("keys").innerHTML = data.runs
    .map(({ name }, i) => {
      const key = keyOf({ name: "", shortName: "", style: styleOf(i), drawnAs: "marked", points: [] });
      return `<li><label><input type="checkbox" checked value="${i}">${key}<bdi>${escapeXml(printableLine(name))}</bdi></label></li>`;
    })
    .join("");
  for (const box of find("keys").querySelectorAll("input")) {
    box.addEventListener("change", () => {
      const hidden = new Set(view.hidden);
      if (box.checked) hidden.delete(Number(box.value));
      else hidden.add(Number(box.value));
      view = { ...view, hidden };
      redraw();
    });
  }
}

function makeControls(redraw: () => void): void {
  const form = find("controls");
  if (!(form instanceof HTMLFormElement)) throw new Error("the page lacks its controls");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const chosen = new FormData(form);
    view = {
      ...view,
      x: X_UNITS.find((unit) => unit === chosen.get("x")) ?? view.x,
      yScale: chosen.get("y") === "log" ? "log" : "linear",
      steps: chosen.has("steps"),
      skipped: Number(chosen.get("skipped")) / 100,
    };
    redraw();
  });
}

const charts = CHARTS.map((name) => new LiveChart(name));
const redraw = () => {
  for (const chart of charts) chart.draw();
};
makeKeys(redraw);
makeControls(redraw);
redraw();
let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return;
  width = window.innerWidth;
  redraw();
});
