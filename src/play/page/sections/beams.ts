/** Section 5: beam search as a tree, beside the greedy continuation. */
import { html, render } from "lit-html";
import type { Beams, BeamsRequest, ShownHypothesis } from "../../engine/beams.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawBeamTree } from "../draw/beam-tree.ts";
import { signed } from "../numbers.ts";
import { keepUpdated } from "../updates.ts";

const NUMBERS = {
  beams: { label: "beams", initial: 3, step: 1, max: 5 },
  tokens: { label: "tokens", initial: 9, step: 1, max: 10 },
  lengthPenalty: { label: "length penalty", initial: 0, step: 0.1, max: 5 },
} as const;
type NumberName = keyof typeof NUMBERS;
const NAMES: readonly NumberName[] = ["beams", "tokens", "lengthPenalty"];

export function mountBeams(body: HTMLElement, app: App): void {
  /** The prompt is null until one is typed. */
  let settings: Omit<BeamsRequest, "model" | "mask"> = {
    ...{ prompt: null, end: "", beams: 3, tokens: 9, lengthPenalty: 0 },
  };
  let found: Beams | null = null;
  let message: string | null = null;

  const update = async () => {
    const { model, mask } = app.state;
    found = await app.engine.ask("beams", { model, mask, ...settings });
  };
  const type =
    (name: "prompt" | "end") =>
    ({ target }: Event) => {
      if (target instanceof HTMLInputElement) settings = { ...settings, [name]: target.value };
      request();
    };
  const set =
    (name: NumberName) =>
    ({ target }: Event) => {
      if (target instanceof HTMLInputElement) settings = { ...settings, [name]: target.valueAsNumber };
      request();
    };
  const draw = () =>
    render(
      html`<div class="row">
        <label class="field">prompt <input class="prompt" value=${found?.prompt ?? ""} spellcheck="false" autocomplete="off" @input=${type("prompt")}></label>
        ${NAMES.map((name) => {
          const { label, initial, step, max } = NUMBERS[name];
          return html`<label class="field">${label}
            <input type="number" min=${name === "lengthPenalty" ? 0 : 1} max=${max} step=${step} value=${initial} @input=${set(name)}></label>`;
        })}
        <label class="field">ends at <input class="end" placeholder="–" @input=${type("end")}></label>
      </div>
      ${message === null ? "" : html`<p class="refused" role="alert">${message}</p>`}
      ${found === null ? "" : html`<div class=${message === null ? "" : "outdated"}>${viewOf(found, settings.lengthPenalty)}</div>`}`,
      body,
    );
  draw();
  const request = keepUpdated(body, app, update, (refusal) => {
    message = refusal;
    draw();
  });
}

function viewOf(found: Beams, lengthPenalty: number) {
  const { hypotheses, greedy } = found;
  const row = (
    name: string,
    { text, total, score }: ShownHypothesis,
  ) => html`<tr class=${name === "1" ? "drawn" : ""}>
    <th scope="row">${name}</th><td class="mono">${visible(text.join(""))}</td>
    <td class="value">${signed(total)}</td>${lengthPenalty > 0 ? html`<td class="value">${signed(score)}</td>` : ""}</tr>`;
  return html`<div class="search">
    <div>
      <div class="scroll" tabindex="0" role="region" aria-label="tree of the search; its results are in the table">${drawBeamTree(found)}</div>
      <p class="legend"><span class="best">leads to the best result</span> <span class="kept">to another result</span> <span class="given-up">given up</span> <span class="greedy">the greedy path, always kept</span></p>
    </div>
    <div>
      <table class="hypotheses">
        <thead><tr><th scope="col">result</th><th scope="col">continuation</th><th scope="col" class="value">ln p</th>${lengthPenalty > 0 ? html`<th scope="col" class="value">score</th>` : ""}</tr></thead>
        <tbody>${hypotheses.map((hypothesis, i) => row(String(i + 1), hypothesis))}${row("greedy", greedy)}</tbody>
      </table>
      <p class="insight">${comparison(hypotheses[0], greedy, lengthPenalty > 0 ? "score" : "ln p")}</p>
    </div>
  </div>`;
}

function comparison(best: ShownHypothesis, greedy: ShownHypothesis, measure: string): string {
  if (best.text.join("") === greedy.text.join(""))
    return "Here the greedy continuation is the best that the search found.";
  const gain = best.score - greedy.score;
  return `The ${measure} of the best result is ${gain.toFixed(2)} higher than that of the greedy continuation, which takes the most probable token each time and cannot turn back.`;
}
