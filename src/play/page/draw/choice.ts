/** Shows how a token was chosen: the model's candidates, what each rule does, and the draw. */
import { html, svg } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import type { OneToken, ShownCandidate, ShownRule } from "../../engine/one-token.ts";
import { visible } from "../characters.ts";
import { signed } from "../numbers.ts";

export function candidatesOf({ candidates, vocabulary }: OneToken) {
  const most = candidates.reduce(
    (high, { probability, probabilityLeft }) => Math.max(high, probability, probabilityLeft),
    0,
  );
  const bar = (name: string, probability: number, y: number) =>
    svg`<rect class=${name} y=${y} width=${(100 * probability) / most} height="7"></rect>`;
  const row = (candidate: ShownCandidate) => {
    const { text, logit, probability, probabilityLeft, droppedBy, isDrawn } = candidate;
    return html`<tr class=${isDrawn ? "drawn" : droppedBy === null ? "" : "dropped"}>
      <th scope="row" class="mono">${visible(text)}</th>
      <td class="value">${signed(logit)}</td>
      <td class="bars"><svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">${bar("model", probability, 0)}${bar("left", probabilityLeft, 8)}</svg></td>
      <td class="value">${percent(probability)}</td>
      <td class="value">${droppedBy === null ? percent(probabilityLeft) : html`<span>dropped by</span> ${droppedBy}`}</td>
    </tr>`;
  };
  return html`<table class="candidates">
      <thead><tr><th scope="col">token</th><th scope="col" class="value">logit</th><td></td>
        <th scope="col" class="value">model</th><th scope="col" class="value">left</th></tr></thead>
      <tbody>${candidates.map(row)}</tbody>
    </table>
    <p class="quiet"><span class="model">as the model has it</span> <span class="left">what the rules leave</span> the best ${candidates.length} of ${formatCount(vocabulary)} tokens</p>`;
}

export function rulesOf({ rules }: OneToken) {
  if (rules.length === 0) return html`<p>No rule: the most probable token is chosen.</p>`;
  const list = (count: number, best: readonly string[]) =>
    html`${plural(count, "token")}: <span class="mono">${best.map(visible).join(" ")}${count > best.length ? " …" : ""}</span>`;
  const effect = ({ dropped, droppedText, changed, changedText, left }: ShownRule) => {
    if (dropped > 0) return html`drops ${list(dropped, droppedText)}`;
    if (changed === 0) return "changes nothing";
    return changed === left ? "changes every logit" : html`changes ${list(changed, changedText)}`;
  };
  return html`<ol class="rules">${rules.map(
    (rule) =>
      html`<li><b>${rule.rule} ${rule.value}</b> ${effect(rule)}; ${formatCount(rule.left)} left</li>`,
  )}</ol>`;
}

/** The numbers from 0 to 1, divided among the tokens that are left, and the number that was drawn. */
export function drawOf({ candidates, uniform }: OneToken) {
  const drawn = candidates.find(({ isDrawn }) => isDrawn);
  if (drawn === undefined) return "";
  if (uniform === null)
    return html`<p>At temperature 0 the most probable token is chosen: <b class="mono">${visible(drawn.text)}</b></p>`;
  const x = (share: number) => 400 * share;
  const left = candidates.filter(({ start, end }) => end > start);
  return html`<svg class="draw" viewBox="0 0 400 46" aria-hidden="true">
      <rect class="rest" width="400" y="16" height="28"></rect>
      ${left.map(
        ({
          start,
          end,
          isDrawn,
          text,
        }) => svg`<rect class=${isDrawn ? "drawn" : ""} x=${x(start)} width=${x(end - start)} y="16" height="28"></rect>
          ${end - start < 0.03 ? "" : svg`<text class=${isDrawn ? "drawn" : ""} x=${x((start + end) / 2)} y="35" text-anchor="middle">${visible(text)}</text>`}`,
      )}
      <path d=${`M${x(uniform)} 44V12l-4-6h8l-4 6`}></path>
    </svg>
    <p class="quiet">The numbers from 0 to 1, divided among the tokens that are left.</p>
    <p>The random number ${uniform.toFixed(4)} lies between ${drawn.start.toFixed(4)} and ${drawn.end.toFixed(4)}: <b class="mono">${visible(drawn.text)}</b></p>`;
}

/** "12.34%" */
function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
