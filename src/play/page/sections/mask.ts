/** Section 2: one attention head from scores to weights, a row of it in numbers, and ways to hide the future. */
import { html, render } from "lit-html";
import { plural } from "../../../util/format.ts";
import type { Example } from "../../engine/small-examples.ts";
import { WAYS, type Way } from "../../ways.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawRow, sentenceOf } from "../draw/attention-row.ts";
import { drawHead, drawTables, hides, type ShownHead } from "../draw/head.ts";
import { drawWays } from "../draw/ways.ts";
import { recall, remember } from "../page-link.ts";
import { keepUpdated } from "../updates.ts";

const TEXT = "By the oak sat U";
const MOST_CHARACTERS = 24;
/** The rows that are shown at first: of a text, the position before a word. */
const [ROW_OF_TEXT, ROW_OF_EXAMPLE] = [10, 1];
const EXAMPLES: Readonly<Record<Example, string>> = {
  three: "three tokens, by hand",
  five: "five tokens with equal scores",
};
const NAMES: readonly Example[] = ["three", "five"];

export function mountMask(body: HTMLElement, app: App): void {
  new MaskSection(body, app);
}

class MaskSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #request: () => void;
  #example: Example | null = NAMES.find((name) => name === recall("example")) ?? null;
  #text = recall("text") ?? TEXT;
  #layer = Math.trunc(Number(recall("layer"))) || 0;
  #head = Math.trunc(Number(recall("head"))) || 0;
  #way: Way = WAYS.find((way) => way === recall("way")) ?? "infinity";
  #row = this.#example === null ? ROW_OF_TEXT : ROW_OF_EXAMPLE;
  #shown: ShownHead | null = null;
  /** For readers of the screen, after the row was moved with the keyboard. */
  #spoken = "";
  #hasTables = false;
  #message: string | null = null;

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    const report = (message: string | null) => {
      this.#message = message;
      this.#draw();
    };
    this.#request = keepUpdated(body, app, () => this.#update(), report);
    this.#draw();
  }

  async #update(): Promise<void> {
    const { mask, model } = this.#app.state;
    const way = this.#way;
    const head = { model, text: this.#text, layer: this.#layer, head: this.#head };
    const matrices = await this.#app.engine.ask("matrices", { source: this.#example ?? head, mask, way });
    this.#shown = { matrices, way, mask };
    this.#row = Math.min(this.#row, matrices.tokens.length - 1);
  }

  #draw(): void {
    const shown = this.#shown;
    const isOutdated = this.#message !== null;
    render(
      html`${this.#controls()}
        ${isOutdated ? html`<p class="refused" role="alert">${this.#message}</p>` : ""}
        ${shown === null ? "" : html`<div class=${isOutdated ? "outdated" : ""}>${this.#view(shown)}</div>`}
        <p class="visually-hidden" aria-live="polite">${this.#spoken}</p>`,
      this.#body,
    );
  }

  #controls() {
    return html`<div class="row">
      <label class="field">attention of
        <select @change=${this.#taking("example", (value) => {
          this.#example = NAMES.find((name) => name === value) ?? null;
          this.#row = this.#example === null ? ROW_OF_TEXT : ROW_OF_EXAMPLE;
        })}>
          <option value="">the model, on a text</option>
          ${NAMES.map((name) => html`<option value=${name} ?selected=${name === this.#example}>${EXAMPLES[name]}</option>`)}
        </select>
      </label>
      ${this.#example === null ? this.#headControls() : ""}
    </div>`;
  }

  #headControls() {
    const { layers = 1, heads = 1 } = this.#shown?.matrices ?? {};
    const numbered = (name: "layer" | "head", count: number, chosen: number, apply: (i: number) => void) =>
      html`<label class="field">${name}
        <select @change=${this.#taking(name, (value) => apply(Number(value)))}>
          ${Array.from({ length: count }, (_, i) => html`<option value=${i} ?selected=${i === Math.min(chosen, count - 1)}>${i}</option>`)}
        </select>
      </label>`;
    const type = this.#taking("text", (text) => {
      this.#text = text;
    });
    return html`<label class="field">text
        <input class="typed" maxlength=${MOST_CHARACTERS} spellcheck="false" autocomplete="off" .value=${this.#text} @input=${type}>
      </label>
      ${numbered("layer", layers, this.#layer, (layer) => {
        this.#layer = layer;
      })}
      ${numbered("head", heads, this.#head, (head) => {
        this.#head = head;
      })}`;
  }

  /** Handles the change of a control: applies its value, puts it into the link, and asks again. */
  #taking(name: string, apply: (value: string) => void) {
    return ({ target }: Event) => {
      if (!(target instanceof HTMLSelectElement || target instanceof HTMLInputElement)) return;
      apply(target.value);
      remember(name, target.value);
      this.#request();
    };
  }

  #view(shown: ShownHead) {
    const { leftOut, tokens } = shown.matrices;
    const row = this.#row;
    const choose = (way: Way) => {
      this.#way = way;
      remember("way", way === "infinity" ? "" : way);
      this.#request();
    };
    const toggle = ({ target }: Event) => {
      this.#hasTables = target instanceof HTMLDetailsElement && target.open;
      this.#draw();
    };
    return html`
      ${leftOut === 0 ? "" : html`<p class="note">Only the first ${plural(tokens.length, "character")}: the model sees no more at a time.</p>`}
      ${drawHead(
        shown,
        row,
        (pointed) => this.#point(pointed),
        (moved) => this.#move(moved),
      )}
      <div class="row-title">
        <h3>Row ${row}, <span class="mono">“${visible(tokens[row])}”</span>, in numbers</h3>
        <button ?disabled=${row === 0} @click=${() => this.#move(row - 1)} aria-label="Row above">Above</button>
        <button ?disabled=${row === tokens.length - 1} @click=${() => this.#move(row + 1)} aria-label="Row below">Below</button>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label="The row in numbers">
        ${drawRow(shown.matrices, shown.way, row, (column) => hides(shown, row, column))}
      </div>
      <p class="insight">${sentenceOf(shown.matrices, shown.mask, row)}</p>
      ${drawWays(shown, choose)}
      <details @toggle=${toggle}>
        <summary>All numbers as tables</summary>
        ${this.#hasTables ? drawTables(shown) : ""}
      </details>`;
  }

  #point(row: number): void {
    if (row === this.#row) return;
    this.#row = row;
    this.#draw();
  }

  #move(row: number): void {
    if (this.#shown !== null) this.#spoken = sentenceOf(this.#shown.matrices, this.#shown.mask, row);
    this.#row = row;
    this.#draw();
  }
}
