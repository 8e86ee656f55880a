/** Section 2: one attention head from scores to weights, a row of it in numbers, and ways to hide the future. */
import { html, render } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import type { Matrices, WayFacts } from "../../engine/matrices.ts";
import type { Example } from "../../engine/small-examples.ts";
import { WAYS, type Way } from "../../ways.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawRow, sentenceOf } from "../draw/attention-row.ts";
import { type DrawnMatrix, drawMatrix, rangeOf, type Tone } from "../draw/matrix.ts";
import { formatCell } from "../numbers.ts";
import { keepUpdated } from "../updates.ts";

const TEXT = "By the oak sat U";
const MOST_CHARACTERS = 24;
/** The row that is shown at first: the position before a word. */
const MODEL_ROW = 10;
const EXAMPLES: Readonly<Record<Example, string>> = {
  three: "three tokens, by hand",
  five: "five tokens with equal scores",
};
const NAMES: readonly Example[] = ["three", "five"];

interface WayTexts {
  readonly title: string;
  readonly why: string;
}
const WAY_TEXTS: Readonly<Record<Way, WayTexts>> = {
  infinity: {
    title: "−∞ before the softmax",
    why: "exp(−∞) is exactly 0. What is hidden has no weight and no part in the sum, so the visible weights share all of it.",
  },
  large: {
    title: "−10⁹ before the softmax",
    why: "exp(−10⁹) is rounded to 0, so this works as long as the scores are small. Scores as large would show through, and 16-bit numbers do not reach −10⁹.",
  },
  after: {
    title: "0 after the softmax",
    why: "The hidden scores are already in the sum that divides. The visible weights shrink when a hidden score grows: they leak the future without looking at it.",
  },
  none: { title: "nothing", why: "Each position sees the token that it has to predict." },
};

export function mountMask(body: HTMLElement, app: App): void {
  new MaskSection(body, app);
}

class MaskSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #request: () => void;
  #example: Example | null = null;
  #text = TEXT;
  #layer = 0;
  #head = 0;
  #way: Way = "infinity";
  #row = MODEL_ROW;
  /** What was computed, with the way in which it was. */
  #shown: { readonly matrices: Matrices; readonly way: Way } | null = null;
  /** For readers of the screen, after the row was moved with the keyboard. */
  #spoken = "";
  #hasTables = false;
  #message: string | null = null;

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    this.#request = keepUpdated(
      body,
      app,
      () => this.#update(),
      (message) => {
        this.#message = message;
        this.#draw();
      },
    );
    this.#draw();
  }

  async #update(): Promise<void> {
    const { mask, model } = this.#app.state;
    const way = this.#way;
    const head = { model, text: this.#text, layer: this.#layer, head: this.#head };
    const matrices = await this.#app.engine.ask("matrices", { source: this.#example ?? head, mask, way });
    this.#shown = { matrices, way };
    this.#row = Math.min(this.#row, matrices.tokens.length - 1);
  }

  #draw(): void {
    const shown = this.#shown;
    render(
      html`${this.#controls(shown?.matrices)}
        ${this.#message === null ? "" : html`<p class="refused" role="alert">${this.#message}</p>`}
        ${shown === null ? "" : html`<div class=${this.#message === null ? "" : "outdated"}>${this.#view(shown.matrices, shown.way)}</div>`}
        <p class="visually-hidden" aria-live="polite">${this.#spoken}</p>`,
      this.#body,
    );
  }

  #controls(matrices: Matrices | undefined) {
    const change = (apply: (value: string) => void) => (event: Event) => {
      const { target } = event;
      if (!(target instanceof HTMLSelectElement || target instanceof HTMLInputElement)) return;
      apply(target.value);
      this.#request();
    };
    const numbered = (label: string, count: number, chosen: number, apply: (value: string) => void) =>
      html`<label class="field">${label}
        <select @change=${change(apply)}>
          ${Array.from({ length: count }, (_, i) => html`<option value=${i} ?selected=${i === Math.min(chosen, count - 1)}>${i}</option>`)}
        </select>
      </label>`;
    const { layers = 1, heads = 1 } = matrices ?? {};
    return html`<div class="row">
      <label class="field">attention of
        <select @change=${change((value) => {
          this.#example = NAMES.find((name) => name === value) ?? null;
          this.#row = this.#example === null ? MODEL_ROW : 1;
        })}>
          <option value="">the model, on a text</option>
          ${NAMES.map((name) => html`<option value=${name}>${EXAMPLES[name]}</option>`)}
        </select>
      </label>
      ${
        this.#example === null
          ? html`<label class="field">text
              <input class="typed" maxlength=${MOST_CHARACTERS} spellcheck="false" autocomplete="off" .value=${this.#text} @input=${change(
                (value) => {
                  this.#text = value;
                },
              )}>
            </label>
            ${numbered("layer", layers, this.#layer, (value) => {
              this.#layer = Number(value);
            })}
            ${numbered("head", heads, this.#head, (value) => {
              this.#head = Number(value);
            })}`
          : ""
      }
    </div>`;
  }

  #view(matrices: Matrices, way: Way) {
    const { leftOut, tokens } = matrices;
    const row = this.#row;
    const isHidden = (t: number, s: number) => way !== "none" && this.#hides(matrices, way, t, s);
    return html`
      ${leftOut === 0 ? "" : html`<p class="note">Only the first ${plural(tokens.length, "character")}: the model sees no more at a time.</p>`}
      ${this.#matrices(matrices, way, isHidden)}
      <div class="row-title">
        <h3>Row ${row}, <span class="mono">“${visible(tokens[row])}”</span>, in numbers</h3>
        <button ?disabled=${row === 0} @click=${() => this.#move(row - 1)} aria-label="Row above">Above</button>
        <button ?disabled=${row === tokens.length - 1} @click=${() => this.#move(row + 1)} aria-label="Row below">Below</button>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label="The row in numbers">${drawRow(matrices, way, row, (s) => isHidden(row, s))}</div>
      <p class="insight">${sentenceOf(matrices, this.#app.state.mask, row)}</p>
      ${this.#ways(matrices, way)}
      ${this.#tables(matrices, way)}`;
  }

  /** Whether the mask of this answer hides a position. */
  #hides({ mask }: Matrices, way: Way, t: number, s: number): boolean {
    return way === "after" ? mask[t][s] === 0 : mask[t][s] !== 0;
  }

  /** The matrices in the order of the computation, with their names. */
  #panels(matrices: Matrices, way: Way) {
    const { scores, mask, masked, softmax, weights } = matrices;
    const S = { name: "S", title: "scores, Q·Kᵀ/√D", values: scores };
    if (way === "after")
      return [
        S,
        { name: "softmax(S)", title: "all positions share it", values: softmax },
        { name: "× 0 or 1", title: "hides too late", values: mask },
        { name: "= A", title: "the weights", values: weights },
      ];
    return [
      S,
      {
        name: "+ M",
        title: mask.flat().every((added) => added === 0)
          ? "no mask"
          : `the mask: 0 or ${way === "large" ? "−10⁹" : "−∞"}`,
        values: mask,
      },
      { name: "= S + M", title: "what the softmax reads", values: masked },
      { name: "A", title: "the softmax of each row", values: weights },
    ];
  }

  #matrices(matrices: Matrices, way: Way, isHidden: (t: number, s: number) => boolean) {
    const names = matrices.tokens.map(visible);
    const { given, scores } = matrices;
    const plain = { rows: names, format: formatCell };
    const interaction = { selected: this.#row, onRow: (row: number) => this.#point(row) };
    const toneOf = (t: number, s: number): Tone => (isHidden(t, s) ? "hidden" : s > t ? "peek" : "plain");
    const panel = (name: string, title: string, matrix: Omit<DrawnMatrix, "label">) =>
      html`<figure><figcaption><b>${name}</b> ${title}</figcaption>${drawMatrix({ ...matrix, label: `${name}, ${title}` })}</figure>`;
    const key = (event: KeyboardEvent) => {
      const last = names.length - 1;
      const to = { ArrowUp: this.#row - 1, ArrowDown: this.#row + 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#move(Math.max(0, Math.min(last, to)));
    };
    const channels = (values: readonly (readonly number[])[]) => values[0].map((_, i) => `${i}`);
    return html`${
      given === null
        ? ""
        : html`<div class="matrices given">
            ${panel("Q", "a query for each token", { ...plain, values: given.queries, columns: channels(given.queries), toneOf: () => "plain" })}
            ${panel("K", "a key for each token", { ...plain, values: given.keys, columns: channels(given.keys), toneOf: () => "plain" })}
          </div>`
    }<div class="matrices" tabindex="0" role="group" aria-label="Matrices of the head. Arrow keys up and down choose a row." @keydown=${key}>
      ${this.#panels(matrices, way).map(({ name, title, values }) =>
        panel(name, title, {
          ...plain,
          ...interaction,
          values,
          columns: names,
          toneOf:
            name === "S"
              ? () => "plain"
              : name === "softmax(S)"
                ? (t, s) => (s > t ? "peek" : "plain")
                : toneOf,
          ...(name === "= S + M" ? { range: rangeOf(scores) } : {}),
        }),
      )}
    </div>`;
  }

  #ways({ ways }: Matrices, chosen: Way) {
    const choose = (way: Way) => () => {
      this.#way = way;
      this.#request();
    };
    return html`<fieldset class="ways">
      <legend>Ways to hide the future</legend>
      ${WAYS.map(
        (way) => html`<label class=${way === chosen ? "chosen" : ""}>
          <span><input type="radio" name="way" value=${way} .checked=${way === this.#way} @change=${choose(way)}> <b>${WAY_TEXTS[way].title}</b></span>
          <span>${WAY_TEXTS[way].why}</span>
          ${factsOf(way, ways[way])}
        </label>`,
      )}
    </fieldset>
    ${this.#app.state.mask === "on" ? "" : html`<p class="note">${this.#app.state.mask === "off" ? "The mask switch is off, so nothing is hidden in any way." : "The mask is shifted by one: each way hides everything but the next position."}</p>`}`;
  }

  /** The same numbers as tables, once they are asked for. */
  #tables(matrices: Matrices, way: Way) {
    const names = matrices.tokens.map(visible);
    const toggle = ({ target }: Event) => {
      this.#hasTables = target instanceof HTMLDetailsElement && target.open;
      this.#draw();
    };
    return html`<details @toggle=${toggle}>
      <summary>All numbers as tables</summary>
      ${
        this.#hasTables
          ? this.#panels(matrices, way).map(
              ({
                name,
                title,
                values,
              }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${name}><table class="attention-row">
                <caption><b>${name}</b> ${title}</caption>
                <thead><tr><td></td>${names.map((token) => html`<th scope="col" class="value mono">${token}</th>`)}</tr></thead>
                <tbody>${values.map((line, t) => html`<tr><th scope="row" class="mono">${names[t]}</th>${line.map((value) => html`<td class="value">${formatCell(value)}</td>`)}</tr>`)}</tbody>
              </table></div>`,
            )
          : ""
      }
    </details>`;
  }

  #point(row: number): void {
    if (row === this.#row) return;
    this.#row = row;
    this.#draw();
  }

  #move(row: number): void {
    if (this.#shown !== null) this.#spoken = sentenceOf(this.#shown.matrices, this.#app.state.mask, row);
    this.#row = row;
    this.#draw();
  }
}

function factsOf(way: Way, { smallestSum, largestSum, unequal, changed, compared }: WayFacts) {
  const [least, most] = [smallestSum, largestSum].map(formatCell);
  const sums = least === most ? `rows sum to ${least}` : `rows sum to ${least} … ${most}`;
  const same = way !== "infinity" && unequal === 0 ? ", the same weights as with −∞, to the bit" : "";
  return html`<span class="facts">${sums}${same}</span>
    <span class="facts ${changed > 0 ? "leaks" : ""}">another last token changes ${formatCount(changed)} of ${plural(compared, "earlier weight")}</span>`;
}
