/** The bar at the top: the mask switch, the model that sections look at, and the engine's state. */
import { html, render } from "lit-html";
import { MODELS, type ModelName } from "../engine/model-names.ts";
import { MASK_MODES, type MaskMode } from "../masks.ts";
import type { App } from "./app.ts";

const MASK_LABELS: Readonly<Record<MaskMode, string>> = { on: "on", off: "off", shifted: "shifted by one" };
const MODEL_LABELS: Readonly<Record<ModelName, string>> = {
  training: "the one in training",
  shipped: "the shipped one",
};

export function mountBar(controls: HTMLElement, status: HTMLElement, app: App): void {
  const draw = () => render(bar(app), controls);
  app.onChange((state, before) => {
    if (state.mask !== before.mask) void app.engine.ask("setMask", state.mask);
    draw();
  });
  app.engine.onEvent((event) => {
    if (event.kind === "run" || event.kind === "opened") app.change({ run: event.run });
    if (event.kind === "failed") status.textContent = event.message;
    if (event.kind !== "ready") return;
    const { backend, threads, missing } = event.engine;
    const unit = threads === 1 ? "thread" : "threads";
    status.textContent = `${backend} · ${threads} ${unit}${missing === null ? "" : ` (${missing})`} · bits as on the command line`;
  });
  draw();
}

function bar(app: App) {
  const { mask, model } = app.state;
  const choose = (mode: MaskMode) => () => app.change({ mask: mode });
  const chooseModel = ({ target }: Event) => {
    const name = MODELS.find((each) => target instanceof HTMLSelectElement && target.value === each);
    if (name !== undefined) app.change({ model: name });
  };
  return html`
    <fieldset class="switch">
      <legend>Mask</legend>
      <div class="choices">
        ${MASK_MODES.map(
          (mode) => html`<label>
            <input type="radio" name="mask" value=${mode} .checked=${mode === mask} @change=${choose(mode)}>
            <span>${MASK_LABELS[mode]}</span>
          </label>`,
        )}
      </div>
    </fieldset>
    <label>Model
      <select @change=${chooseModel}>
        ${MODELS.map((name) => html`<option value=${name} ?selected=${name === model}>${MODEL_LABELS[name]}</option>`)}
      </select>
    </label>
  `;
}
