/** Draws one attention head: its matrices in the order of the computation, and the same numbers as tables. */
import { html } from "lit-html";
import type { Matrices } from "../../engine/matrices.ts";
import type { MaskMode } from "../../masks.ts";
import type { Way } from "../../ways.ts";
import { visible } from "../characters.ts";
import { formatCell } from "../numbers.ts";
import { type DrawnMatrix, drawMatrix, rangeOf, type Tone } from "./matrix.ts";

/** The matrices of a head, with the way and the mask under which they were computed. */
export interface ShownHead {
  readonly matrices: Matrices;
  readonly way: Way;
  readonly mask: MaskMode;
}

/** Whether the mask of the answer hides a column from a row. */
export function hides({ matrices, way }: ShownHead, row: number, column: number): boolean {
  const number = matrices.mask[row][column];
  return way === "after" ? number === 0 : number !== 0;
}

interface Panel {
  readonly name: string;
  readonly title: string;
  readonly values: DrawnMatrix["values"];
  /** Whether the mask shows in it. */
  readonly isMasked: boolean;
  readonly range?: readonly [number, number];
}

function panelsOf({ matrices, way }: ShownHead): Panel[] {
  const { scores, mask, masked, softmax, weights } = matrices;
  const S = { name: "S", title: "scores, Q·Kᵀ/√D", values: scores, isMasked: false };
  if (way === "after")
    return [
      S,
      { name: "softmax(S)", title: "all positions share it", values: softmax, isMasked: false },
      { name: "× 0 or 1", title: "hides too late", values: mask, isMasked: true },
      { name: "= A", title: "the weights", values: weights, isMasked: true },
    ];
  const isEmpty = mask.flat().every((added) => added === 0);
  const title = isEmpty ? "no mask" : `the mask: 0 or ${way === "large" ? "−10⁹" : "−∞"}`;
  return [
    S,
    { name: "+ M", title, values: mask, isMasked: true },
    // The colors of S, so that the two can be compared.
    {
      name: "= S + M",
      title: "what the softmax reads",
      values: masked,
      isMasked: true,
      range: rangeOf(scores),
    },
    { name: "A", title: "the softmax of each row", values: weights, isMasked: true },
  ];
}

/**
 * @param onRow  called with the row under the pointer
 * @param onMove called with the row that a key chooses
 */
export function drawHead(
  shown: ShownHead,
  row: number,
  onRow: (row: number) => void,
  onMove: (row: number) => void,
) {
  const names = shown.matrices.tokens.map(visible);
  const { given } = shown.matrices;
  const toneOf = (t: number, s: number): Tone => (hides(shown, t, s) ? "hidden" : s > t ? "peek" : "plain");
  const key = (event: KeyboardEvent) => {
    const last = names.length - 1;
    const to = { ArrowUp: row - 1, ArrowDown: row + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onMove(Math.max(0, Math.min(last, to)));
  };
  return html`${given === null ? "" : html`<div class="matrices given">${drawGiven("Q", "a query for each token", names, given.queries)}${drawGiven("K", "a key for each token", names, given.keys)}</div>`}
    <div class="matrices" tabindex="0" role="group" aria-label="Matrices of the head. Arrow keys up and down choose a row." @keydown=${key}>
      ${panelsOf(shown).map(({ name, title, values, isMasked, range }) =>
        drawPanel(name, title, {
          values,
          rows: names,
          columns: names,
          format: formatCell,
          selected: row,
          onRow,
          toneOf: isMasked ? toneOf : () => "plain",
          ...(range === undefined ? {} : { range }),
        }),
      )}
    </div>`;
}

/** Numbers that are given, (T, D). */
function drawGiven(name: string, title: string, rows: readonly string[], values: DrawnMatrix["values"]) {
  const columns = values[0].map((_, channel) => `${channel}`);
  return drawPanel(name, title, { values, rows, columns, format: formatCell, toneOf: () => "plain" });
}

function drawPanel(name: string, title: string, matrix: Omit<DrawnMatrix, "label">) {
  return html`<figure>
    <figcaption><b>${name}</b> ${title}</figcaption>
    ${drawMatrix({ ...matrix, label: `${name}, ${title}` })}
  </figure>`;
}

/** All numbers of the matrices as tables. */
export function drawTables(shown: ShownHead) {
  const names = shown.matrices.tokens.map(visible);
  return panelsOf(shown).map(
    ({ name, title, values }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
      <table class="attention-row">
        <caption><b>${name}</b> ${title}</caption>
        <thead><tr><td></td>${names.map((token) => html`<th scope="col" class="value mono">${token}</th>`)}</tr></thead>
        <tbody>${values.map(
          (line, t) =>
            html`<tr><th scope="row" class="mono">${names[t]}</th>${line.map((value) => html`<td class="value">${formatCell(value)}</td>`)}</tr>`,
        )}</tbody>
      </table>
    </div>`,
  );
}
