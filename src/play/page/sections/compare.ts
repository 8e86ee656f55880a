/** Two whole runs side by side, with the mask and without it. */
import { html, render } from "lit-html";
import { formatCount, formatLoss } from "../../../util/format.ts";
import { printable } from "../../../util/printable.ts";
import type { ComparedModel, ComparisonState } from "../../protocol.ts";
import type { App } from "../app.ts";

type Result = Extract<ComparisonState, { readonly kind: "done" }>;

export function mountCompare(body: HTMLElement, app: App): void {
  const draw = (state: ComparisonState | null) => render(view(state, app), body);
  app.engine.onEvent((event) => {
    if (event.kind === "comparison") draw(event.state);
  });
  draw(null);
}

function view(state: ComparisonState | null, app: App) {
  const isRunning = state?.kind === "running";
  const press = () => void app.engine.ask(isRunning ? "stopComparing" : "compare", null);
  return html`<h3>Two whole runs</h3>
    <p class="quiet">The same small model, from the same weights and on the same windows: once with the mask and once without it. It takes about half a minute.</p>
    <div class="row">
      <button @click=${press}>${isRunning ? "Stop" : "Run both"}</button>
      ${isRunning ? html`<progress max=${state.steps} value=${state.step} aria-label="Steps of both runs"></progress><span class="mono">step ${formatCount(state.step)} of ${formatCount(state.steps)}</span>` : ""}
    </div>
    ${state?.kind === "failed" ? html`<p class="refused" role="alert">${state.message}</p>` : ""}
    ${state?.kind === "done" ? result(state) : ""}`;
}

function result({ withMask, withoutMask, floorNats, blindGuessNats, isOwnText, steps }: Result) {
  const row = (name: string, left: number, right: number) =>
    html`<tr><th scope="row">${name}</th><td class="value">${formatLoss(left)}</td><td class="value">${formatLoss(right)}</td></tr>`;
  const sample = (name: string, mask: string, { sample }: ComparedModel) =>
    html`<li class=${mask}><p>${name}, it writes</p><pre>${printable(sample).trim()}</pre></li>`;
  return html`<table class="losses">
      <caption>Validation loss after ${formatCount(steps)} steps, in nats per character</caption>
      <thead><tr><td></td><th scope="col" class="value">with mask</th><th scope="col" class="value">without</th></tr></thead>
      <tbody>
        ${row("as it was trained", withMask.lossNats, withoutMask.lossNats)}
        ${row("seeing only the left", withMask.leftOnlyNats, withoutMask.leftOnlyNats)}
        ${floorNats === null ? "" : row("floor: entropy of the text", floorNats, floorNats)}
        ${row("blind guess", blindGuessNats, blindGuessNats)}
      </tbody>
    </table>
    <ul class="samples pair">${sample("With the mask", "on", withMask)}${sample("Without it", "off", withoutMask)}</ul>
    ${isOwnText ? "" : html`<p class="quiet" >In a terminal, to the same bits: <code>npx nopeek lesson leakage</code></p>`}`;
}
