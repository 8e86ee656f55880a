/** Section 1: training with the mask as a switch. */
import { html, render } from "lit-html";
import { formatCount, formatLoss } from "../../../util/format.ts";
import type { MaskMode } from "../../masks.ts";
import type { RunState, Sample } from "../../protocol.ts";
import { RECIPES, type Recipe, SHOWN, type ShownSettings } from "../../settings.ts";
import type { App } from "../app.ts";
import { drawLossChart, stretchesOf } from "../draw/loss-chart.ts";
import { type CurvePoint, LossCurve } from "../draw/loss-curve.ts";
import { Refusal } from "../engine-client.ts";
import { changesIn, type LinkState, withoutChanges } from "../link.ts";
import { currentLink, replaceLink } from "../page-link.ts";

const RECIPE_LABELS: Readonly<Record<Recipe, string>> = {
  small: "small: learns to spell in seconds",
  tales: "npm start: the shipped model, 5,800 steps",
};
const SETTING_LABELS: Readonly<Record<(typeof SHOWN)[number], string>> = {
  layers: "layers",
  heads: "heads",
  dModel: "channels",
  contextLength: "context",
  batchSize: "windows per step",
  steps: "steps",
  seed: "seed",
};
const MASK_WORDS: Readonly<Record<MaskMode, string>> = {
  on: "mask on",
  off: "mask off",
  shifted: "mask shifted by one",
};
const DEFAULT_WIDTH = 640;

export function mountTrain(body: HTMLElement, app: App): void {
  new TrainSection(body, app);
}

class TrainSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #curve = new LossCurve();
  #samples: readonly Sample[] = [];
  #tokensPerSecond = 0;
  #message: string | null = null;
  /** What the recipes set; null until the engine is ready. */
  #recipes: Readonly<Record<Recipe, ShownSettings>> | null = null;
  #isDrawn = true;

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    app.engine.onEvent((event) => {
      if (event.kind === "ready") this.#recipes = event.recipes;
      if (event.kind === "opened") {
        this.#curve.clear();
        this.#curve.add(event.steps);
        this.#samples = [];
        this.#message = null;
      }
      if (event.kind === "steps") {
        this.#curve.add(event.steps);
        if (event.tokensPerSecond > 0) this.#tokensPerSecond = event.tokensPerSecond;
        const last = event.steps.at(-1);
        const { run } = app.state;
        if (last !== undefined && run !== null) app.change({ run: { ...run, stepsDone: last.step } });
      }
      if (event.kind === "sample") this.#addSample(event.sample);
      if (event.kind === "failed") this.#message = event.message;
      this.#draw();
    });
    app.onChange((state, before) => {
      if (state.mask !== before.mask) replaceLink({ ...this.#link, mask: state.mask });
      this.#draw();
    });
    // While the page is hidden, nothing is shown and the battery matters more.
    let wasTraining = false;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        wasTraining = app.state.run?.isTraining ?? false;
        if (wasTraining) void app.engine.ask("stop", null);
      } else if (wasTraining) void app.engine.ask("start", null);
    });
    window.addEventListener("resize", () => this.#draw());
    void app.engine.ask("setMask", app.state.mask);
    void this.#open().then(() => this.#app.engine.ask("start", null));
    this.#draw();
  }

  async #open(): Promise<void> {
    const request = { recipe: this.#link.recipe, changes: changesIn(this.#link) };
    try {
      const run = await this.#app.engine.ask("open", request);
      this.#app.change({ run });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#message = error.message;
    }
    this.#draw();
  }

  /** Keeps the newest sample of each mask, newest first. */
  #addSample(sample: Sample): void {
    this.#samples = [sample, ...this.#samples.filter(({ mask }) => mask !== sample.mask)];
  }

  /** Other sections write to the link too, so it is read each time. */
  get #link(): LinkState {
    return currentLink();
  }

  /** Draws once a frame, however many events come. */
  #draw(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      render(this.#view(), this.#body);
    });
  }

  #view() {
    const { run } = this.#app.state;
    return html`
      ${this.#controls(run)}
      ${this.#message === null ? "" : html`<p class="refused" role="alert">${this.#message}</p>`}
      <div class="pair">
        <div>${run === null ? "" : this.#chart(run)}</div>
        <div>${run === null ? "" : this.#written(run)}</div>
      </div>
      ${this.#settings()}
    `;
  }

  #controls(run: RunState | null) {
    const ask = (name: "start" | "stop" | "step") => () => void this.#app.engine.ask(name, null);
    const isTraining = run?.isTraining ?? false;
    return html`<div class="row">
      <button class="main" ?disabled=${run === null || run.isDone} @click=${isTraining ? ask("stop") : ask("start")}>
        ${isTraining ? "Pause" : "Train"}
      </button>
      <button ?disabled=${run === null || run.isDone} @click=${ask("step")}>One step</button>
      <button @click=${() => void this.#startOver()}>Start over</button>
      <span class="mono">${run === null ? "" : this.#progress(run)}</span>
    </div>`;
  }

  #progress({ stepsDone, steps, parameters }: RunState): string {
    const speed = this.#tokensPerSecond === 0 ? "" : ` · ${formatCount(this.#tokensPerSecond)} tokens/s`;
    return `step ${formatCount(stepsDone)} of ${formatCount(steps)} · ${formatCount(parameters)} parameters${speed}`;
  }

  async #startOver(): Promise<void> {
    await this.#open();
    await this.#app.engine.ask("start", null);
  }

  #chart(run: RunState) {
    const width = Math.max(300, this.#body.querySelector(".loss-chart")?.clientWidth ?? DEFAULT_WIDTH);
    const { steps, floorNats, blindGuessNats } = run;
    const last = this.#curve.points.at(-1);
    const description =
      last === undefined
        ? "no step yet"
        : `loss ${formatLoss(last.lossNats)} nats at step ${formatCount(last.step)}`;
    return html`<div class="loss-chart">
      ${drawLossChart({ points: this.#curve.points, steps, floorNats, blindGuessNats, width })}
      <p id="loss-description" class="quiet">Training loss in nats per character over steps; ${description}</p>
    </div>${this.#insight(run)}`;
  }

  /** What the loss says, in a sentence. */
  #insight({ floorNats }: RunState) {
    const stretches = stretchesOf(this.#curve.points);
    const last = stretches.at(-1);
    if (last === undefined) return "";
    const loss = last.points[last.points.length - 1].lossNats;
    const before = stretches.at(-2);
    if (last.mask !== "on" && floorNats !== null && loss < floorNats)
      return html`<p class="insight">The loss is ${formatLoss(loss)}, below the floor of ${formatLoss(floorNats)}. No model that sees only the past can do that. This one copies the character that it has to predict from the next position, and learns nothing about the text.</p>`;
    if (last.mask === "on" && before !== undefined && before.mask !== "on")
      return html`<p class="insight">With the mask back on, the loss rose from ${formatLoss(before.points[before.points.length - 1].lossNats)} to ${formatLoss(highestOf(last.points))}. Copying from the next position does not help when that position is hidden.</p>`;
    if (last.mask !== "on")
      return html`<p class="insight">Each position now sees the character that it has to predict. The loss soon falls below what any honest prediction can reach.</p>`;
    return html`<p class="insight">Each position sees only itself and what came before. The loss cannot fall below the floor, the entropy of the text. Turn the mask off to see what happens without it.</p>`;
  }

  #written({ floorNats, blindGuessNats }: RunState) {
    const [newest] = this.#samples;
    if (newest === undefined)
      return html`<p class="note">The model writes its first sample after a twentieth of the steps.</p>`;
    const row = (name: string, nats: number) =>
      html`<tr><th scope="row">${name}</th><td class="value">${formatLoss(nats)}</td></tr>`;
    return html`<table class="losses">
        <caption>Validation loss at step ${formatCount(newest.step)}, in nats per character</caption>
        <tbody>
          ${row(`with the ${MASK_WORDS[newest.mask]}, as it trains now`, newest.asTrainedNats)}
          ${newest.mask === "on" ? "" : row("with the mask on: seeing only the left", newest.leftOnlyNats)}
          ${floorNats === null ? "" : row("floor: entropy of the text", floorNats)}
          ${row("blind guess among all characters", blindGuessNats)}
        </tbody>
      </table>
      <ul class="samples">${this.#samples.map(
        ({ step, mask, text }) => html`<li class=${mask}>
          <p>it writes at step ${formatCount(step)}, ${MASK_WORDS[mask]}</p>
          <pre>${text.trim()}</pre>
        </li>`,
      )}</ul>`;
  }

  #settings() {
    const shown = this.#recipes?.[this.#link.recipe];
    const changeRecipe = ({ target }: Event) => {
      const recipe = RECIPES.find((name) => target instanceof HTMLSelectElement && name === target.value);
      if (recipe === undefined) return;
      replaceLink(withoutChanges({ ...this.#link, recipe }));
      void this.#startOver();
    };
    const change =
      (name: string) =>
      ({ target }: Event) => {
        if (!(target instanceof HTMLInputElement)) return;
        replaceLink({ ...this.#link, values: { ...this.#link.values, [name]: target.value } });
      };
    return html`<details>
      <summary>Settings</summary>
      <form class="settings" @submit=${(event: Event) => {
        event.preventDefault();
        void this.#startOver();
      }}>
        <label class="field">recipe
          <select @change=${changeRecipe}>
            ${RECIPES.map((name) => html`<option value=${name} ?selected=${name === this.#link.recipe}>${RECIPE_LABELS[name]}</option>`)}
          </select>
        </label>
        ${SHOWN.map(
          (name) => html`<label class="field">${SETTING_LABELS[name]}
            <input type="number" min="0" step="1" .value=${this.#link.values[name] ?? String(shown?.[name] ?? "")} @change=${change(name)}>
          </label>`,
        )}
        <button>Start over with these</button>
      </form>
      <p class="quiet">The link in the address bar holds these settings.</p>
    </details>`;
  }
}

function highestOf(points: readonly CurvePoint[]): number {
  return points.reduce((highest, { lossNats }) => Math.max(highest, lossNats), 0);
}
