/** One row of attention in numbers: from the scores, through exp and the sum, to the weights; and as a sentence. */
import { html } from "lit-html";
import type { Matrices } from "../../engine/matrices.ts";
import type { MaskMode } from "../../masks.ts";
import type { Way } from "../../ways.ts";
import { visible } from "../characters.ts";
import { formatCell, formatShare } from "../numbers.ts";

interface Line {
  readonly name: string;
  readonly values: readonly number[];
  /** Whether the sum of the line is shown. */
  readonly isSummed?: boolean;
  /** Whether the line is computed without the mask. */
  readonly isUnmasked?: boolean;
}

/** Most positions are named in a sentence. */
const NAMED = 3;

/** The lines of the table, in the order of the computation. */
export function linesOf(matrices: Matrices, way: Way, row: number): Line[] {
  const { scores, mask, masked, powers, softmax, weights, weightsWithoutMask } = matrices;
  const score = { name: "score S", values: scores[row] };
  const power = {
    name: way === "after" ? "exp(S − max)" : "exp(S + M − max)",
    values: powers[row],
    isSummed: true,
    isUnmasked: way === "after",
  };
  const weight = { name: "weight A", values: weights[row], isSummed: true };
  if (way === "after")
    return [
      score,
      power,
      { name: "÷ sum", values: softmax[row], isSummed: true, isUnmasked: true },
      { name: "× 0 or 1", values: mask[row] },
      { ...weight, name: "= weight A" },
    ];
  return [
    score,
    { name: "+ mask M", values: mask[row] },
    { name: "= S + M", values: masked[row] },
    power,
    { ...weight, name: "÷ sum = A" },
    { name: "A without M", values: weightsWithoutMask[row], isSummed: true, isUnmasked: true },
  ];
}

export function drawRow(matrices: Matrices, way: Way, row: number, isHidden: (column: number) => boolean) {
  const { tokens } = matrices;
  const classOf = (column: number, isUnmasked = false) =>
    isHidden(column) && !isUnmasked ? "value hidden" : column > row ? "value peek" : "value";
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return html`<table class="attention-row">
    <thead>
      <tr><th scope="col">position</th>${tokens.map((_, s) => html`<th scope="col" class=${classOf(s)}>${s}</th>`)}<th scope="col" class="value">sum</th></tr>
      <tr><th scope="row">token</th>${tokens.map((token, s) => html`<td class="${classOf(s)} mono">${visible(token)}</td>`)}<td></td></tr>
    </thead>
    <tbody>${linesOf(matrices, way, row).map(
      ({ name, values, isSummed = false, isUnmasked = false }) => html`<tr><th scope="row">${name}</th>
        ${values.map((value, s) => html`<td class=${classOf(s, isUnmasked)}>${formatCell(value)}</td>`)}
        <td class="value">${isSummed ? formatCell(total(values)) : ""}</td></tr>`,
    )}</tbody>
  </table>`;
}

/** Where a row looks, and how much of its weight is on later positions, with and without the mask. */
export function sentenceOf(
  { tokens, weights, weightsWithoutMask }: Matrices,
  mask: MaskMode,
  row: number,
): string {
  const quoted = (position: number) => `“${visible(tokens[position])}”`;
  const later = (matrix: Matrices["weights"]) =>
    matrix[row].slice(row + 1).reduce((sum, weight) => sum + weight, 0);
  const best = weights[row]
    .map((weight, position) => ({ weight, position }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, NAMED)
    .filter(({ weight }) => weight >= 0.005)
    .map(({ weight, position }) => `${quoted(position)} at ${position} (${formatCell(weight)})`);
  const looks = `Position ${row}, ${quoted(row)}, looks mostly at ${best.join(", ")}.`;
  const sum = weights[row].reduce((total, weight) => total + weight, 0);
  const short = sum < 0.999 ? ` Its weights sum to ${formatCell(sum)}, not to 1.` : "";
  if (row === tokens.length - 1) return `${looks}${short} It is the last: there is nothing to hide from it.`;
  const [peeks, hidden] = [later(weights), later(weightsWithoutMask)].map(formatShare);
  if (later(weights) === 0)
    return `${looks}${short} Without the mask, ${hidden} of its weight would go to later positions.`;
  const answer =
    mask === "shifted"
      ? "the next position, which holds the token that it has to predict"
      : "later positions, and the next one holds the token that it has to predict";
  return `${looks}${short} ${peeks} of its weight goes to ${answer}.`;
}
