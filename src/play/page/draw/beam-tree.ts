/** Draws a beam search as a tree in SVG: a column for each step, the best path on top. */
import { svg } from "lit-html";
import type { BeamNode, Beams } from "../../engine/beams.ts";
import { visible } from "../characters.ts";
import { signed } from "../numbers.ts";

/** In pixels. */
const [COLUMN, ROW, ROOT, TOP, SIZE] = [74, 44, 64, 24, 24];
/** Dropped paths of a step that are drawn. */
const MOST_DROPPED = 3;
/** The end of the prompt that fits at the root. */
const ROOT_LETTERS = 6;

export function drawBeamTree({ prompt, steps }: Beams) {
  const columns = steps.map((nodes) => {
    const dropped = nodes.findIndex(({ state }) => state === "dropped");
    return dropped < 0 ? nodes : nodes.slice(0, dropped + MOST_DROPPED);
  });
  const rows = columns.reduce((most, nodes) => Math.max(most, nodes.length), 1);
  const [width, height] = [ROOT + columns.length * COLUMN, TOP + rows * ROW];
  const x = (step: number) => ROOT + step * COLUMN + COLUMN / 2;
  const y = (place: number) => TOP + place * ROW;
  const letters = Array.from(prompt);
  const root = `${letters.length > ROOT_LETTERS ? "…" : ""}${letters.slice(-ROOT_LETTERS).join("")}`;
  const edge = (node: BeamNode, step: number, place: number) => {
    const [x0, y0] = step === 0 ? [ROOT, y(0)] : [x(step - 1) + SIZE / 2, y(node.parent)];
    const [x1, y1] = [x(step) - SIZE / 2, y(place)];
    const middle = (x0 + x1) / 2;
    return svg`<path class=${classOf(node)} d=${`M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`}></path>`;
  };
  const box = (node: BeamNode, step: number, place: number) => svg`<g class=${classOf(node)}>
      <rect class=${node.isGreedy ? "greedy" : ""} x=${x(step) - SIZE / 2} y=${y(place) - SIZE / 2} width=${SIZE} height=${SIZE} rx="6"></rect>
      <text class="token" x=${x(step)} y=${y(place) + 5}>${visible(node.text)}</text>
      <text x=${x(step)} y=${y(place) + SIZE / 2 + 11}>${signed(node.total)}</text>
    </g>`;
  const each = (draw: typeof edge) =>
    columns.map((nodes, step) => nodes.map((node, place) => draw(node, step, place)));
  return svg`<svg class="tree" width=${width} height=${height} aria-hidden="true">
    <text class="root" x=${ROOT - 6} y=${y(0) + 5}>${visible(root)}</text>
    ${each(edge)}${each(box)}
  </svg>`;
}

function classOf({ leadsTo }: BeamNode): string {
  if (leadsTo === null) return "given-up";
  return leadsTo === 0 ? "best" : "kept";
}
