/** Section 3: one character changes; which logits change by even one bit, with the mask and without? */
import { html, render, svg } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import type { LeakCount, Leaks } from "../../engine/leaks.ts";
import type { MaskMode } from "../../masks.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { recall, remember } from "../page-link.ts";
import { keepUpdated } from "../updates.ts";

const TEXT = "By the oak sat Ulf";
const POSITION = 15;
const REPLACEMENT = "A";
const MOST_CHARACTERS = 32;
const MASKS: Readonly<Record<MaskMode, string>> = {
  on: "Mask on",
  off: "Mask off",
  shifted: "Mask shifted by one",
};

/** The logits before the changed position, and those of them that changed. */
export function earlierOf({ position, vocabulary }: Leaks, { changed }: LeakCount) {
  const before = changed.slice(0, position);
  return { changed: before.reduce((sum, count) => sum + count, 0), all: position * vocabulary };
}

export function mountLeaks(body: HTMLElement, app: App): void {
  new LeaksSection(body, app);
}

class LeaksSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #request: () => void;
  #text = recall("leakText") ?? TEXT;
  #position = Math.max(0, Math.trunc(Number(recall("leakPosition") ?? POSITION))) || 0;
  #replacement = recall("leakReplacement") ?? REPLACEMENT;
  #shown: { readonly leaks: Leaks; readonly replacement: string } | null = null;
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
    const masks: MaskMode[] = mask === "shifted" ? ["on", "shifted", "off"] : ["on", "off"];
    const replacement = this.#replacement;
    const request = { model, text: this.#text, position: this.#position, replacement, masks };
    const leaks = await this.#app.engine.ask("leaks", request);
    this.#shown = { leaks, replacement };
    this.#position = leaks.position;
  }

  #draw(): void {
    const shown = this.#shown;
    render(
      html`${this.#controls()}
        ${this.#message === null ? "" : html`<p class="refused" role="alert">${this.#message}</p>`}
        ${shown === null ? "" : html`<div class=${this.#message === null ? "" : "outdated"}>${this.#view(shown.leaks, shown.replacement)}</div>`}`,
      this.#body,
    );
  }

  #controls() {
    const typing =
      (name: string, apply: (value: string) => void) =>
      ({ target }: Event) => {
        if (!(target instanceof HTMLInputElement)) return;
        apply(target.value);
        remember(name, target.value);
        this.#request();
      };
    const typeText = typing("leakText", (text) => {
      this.#text = text;
    });
    const typeReplacement = typing("leakReplacement", (text) => {
      this.#replacement = Array.from(text).at(-1) ?? "";
    });
    return html`<div class="row">
      <label class="field">text
        <input class="typed" maxlength=${MOST_CHARACTERS} spellcheck="false" autocomplete="off" .value=${this.#text} @input=${typeText}>
      </label>
      <label class="field">replace the chosen character by
        <input class="replacement" maxlength="2" spellcheck="false" autocomplete="off" autocapitalize="off" .value=${this.#replacement} @input=${typeReplacement}>
      </label>
    </div>`;
  }

  #view(leaks: Leaks, replacement: string) {
    const { tokens, counts, leftOut } = leaks;
    return html`
      ${leftOut === 0 ? "" : html`<p class="note">Only the first ${plural(tokens.length, "character")}: the model sees no more at a time.</p>`}
      <div class="scroll"><table class="leak-counts">
        <thead><tr>${tokens.map((token, t) => html`<th scope="col">${this.#choice(token, t, replacement)}</th>`)}</tr></thead>
        ${counts.map(
          (count) => html`<tbody class=${count.mask === this.#app.state.mask ? "chosen" : ""}>
            <tr><th scope="rowgroup" colspan=${tokens.length}><span>${MASKS[count.mask]}: ${this.#total(leaks, count)}</span></th></tr>
            <tr>${count.changed.map((changed, t) => this.#bar(leaks, changed, t))}</tr>
          </tbody>`,
        )}
      </table></div>
      <p class="quiet">Each number counts the logits of a position, of ${formatCount(leaks.vocabulary)}, that changed by even one bit.</p>
      <p class="insight" aria-live="polite">${sentenceOf(leaks, replacement)}</p>`;
  }

  /** A character of the text, as a radio button. */
  #choice(token: string, t: number, replacement: string) {
    const choose = () => {
      this.#position = t;
      remember("leakPosition", `${t}`);
      this.#request();
    };
    const type = (event: KeyboardEvent) => {
      const isCharacter = Array.from(event.key).length === 1 && event.key !== " ";
      if (!isCharacter || event.ctrlKey || event.metaKey || event.altKey) return;
      this.#replacement = event.key;
      remember("leakReplacement", event.key);
      this.#request();
      this.#draw();
    };
    const isChosen = t === this.#position;
    return html`<label class="character">
      <input type="radio" name="leak-position" aria-label="position ${t}, “${visible(token)}”" .checked=${isChosen} @change=${choose} @keydown=${type}>
      <span class="mono">${visible(isChosen ? replacement : token)}</span>
    </label>`;
  }

  #total(leaks: Leaks, count: LeakCount): string {
    const { changed, all } = earlierOf(leaks, count);
    if (all === 0) return "nothing comes before the first character";
    return `${formatCount(changed)} of ${plural(all, "earlier logit")} changed`;
  }

  #bar({ position, vocabulary }: Leaks, changed: number, t: number) {
    const tone = t < position ? "peek" : "plain";
    const share = (100 * changed) / vocabulary;
    const bar = (name: string) =>
      svg`<rect class=${name} width="100%" y="${100 - share}%" height="${share}%"></rect>`;
    return html`<td><svg aria-hidden="true">${bar(tone)}${tone === "peek" ? bar("hatch") : ""}</svg>${changed}</td>`;
  }
}

/** What changed, and why. */
export function sentenceOf(leaks: Leaks, replacement: string): string {
  const { tokens, position, counts, layers } = leaks;
  const [from, to] = [tokens[position], replacement].map((token) => `“${visible(token)}”`);
  if (from === to) return `Position ${position} is ${from} already: choose another character in its place.`;
  const start = `Position ${position} is now ${to} in place of ${from}.`;
  if (position === 0) return `${start} Nothing comes before it: choose a later one.`;
  const parts = counts.map((count) => {
    const { changed, all } = earlierOf(leaks, count);
    const much =
      changed === all
        ? `all ${formatCount(all)} earlier logits changed`
        : `${formatCount(changed)} of ${formatCount(all)} earlier logits changed`;
    const why =
      count.mask === "shifted"
        ? `, because ${layers === 1 ? "its block" : `each of its ${layers} blocks`} looks one position ahead`
        : "";
    return `${MASKS[count.mask]}: ${much}${why}.`;
  });
  return [start, ...parts].join(" ");
}
