/** Runs that the browser has kept: what a reload offers to continue. */
import { html, render } from "lit-html";
import { formatCount } from "../../../util/format.ts";
import { printableLine } from "../../../util/printable.ts";
import type { KeptRun } from "../../protocol.ts";
import type { App } from "../app.ts";
import { Refusal } from "../engine-client.ts";

export function mountKept(body: HTMLElement, app: App): void {
  let runs: readonly KeptRun[] = [];
  let message: string | null = null;
  const ask = (name: "resumeKept" | "forgetKept", id: string) => async () => {
    try {
      await app.engine.ask(name, id);
      if (name === "resumeKept") await app.engine.ask("start", null);
      message = null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      message = error.message;
    }
    draw();
  };
  const offer = ({ id, name, step, steps }: KeptRun) => html`<p class="kept">
    <span>Kept in this browser: a run on <b>${printableLine(name)}</b></span>
    <button @click=${ask("resumeKept", id)}>Continue at step ${formatCount(step)} of ${formatCount(steps)}</button>
    <button @click=${ask("forgetKept", id)}>Forget it</button>
  </p>`;
  const draw = () =>
    render(
      html`${[...runs].reverse().map(offer)}
        ${message === null ? "" : html`<p class="refused" role="alert">${printableLine(message)}</p>`}`,
      body,
    );
  app.engine.onEvent((event) => {
    if (event.kind !== "kept") return;
    runs = event.runs;
    message =
      event.problem === null
        ? null
        : `This browser does not keep the run (${event.problem}): a reload starts over. Save the run in section 8 to keep it.`;
    draw();
  });
}
