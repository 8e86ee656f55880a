/** Section 4: one token, from the logits to the draw, and the KV cache that grows with it. */
import { html, render } from "lit-html";
import { formatCount, plural, shellWord } from "../../../util/format.ts";
import type { OneToken } from "../../engine/one-token.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { waysOf } from "../draw/both-ways.ts";
import { COLUMN, drawCache } from "../draw/cache.ts";
import { candidatesOf, drawOf, rulesOf } from "../draw/choice.ts";
import { keepUpdated } from "../updates.ts";

const FIELDS = {
  repetitionPenalty: { label: "repetition penalty", step: 0.1 },
  temperature: { label: "temperature", step: 0.1 },
  topK: { label: "top-k", step: 1 },
  topP: { label: "top-p", step: 0.05 },
  minP: { label: "min-p", step: 0.05 },
  seed: { label: "seed", step: 1 },
} as const;
type Field = keyof typeof FIELDS;
const NAMES: readonly Field[] = ["repetitionPenalty", "temperature", "topK", "topP", "minP", "seed"];
/** null for an empty field, which leaves a rule out. */
type Settings = Record<Field, number | null>;
const INITIAL: Readonly<Settings> = {
  ...{ repetitionPenalty: null, temperature: 0.8, topK: 8, topP: 0.95, minP: null, seed: 1337 },
};

export function mountToken(body: HTMLElement, app: App): void {
  new TokenSection(body, app);
}

class TokenSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #request: () => void;
  /** null until one is typed. */
  #prompt: string | null = null;
  readonly #settings: Settings = { ...INITIAL };
  #step = 1;
  #shown: (OneToken & { readonly command: readonly string[] }) | null = null;
  #message: string | null = null;
  /** The step whose new column was scrolled into view. */
  #scrolled = 0;
  /** For readers of the screen, after a button was pressed. */
  #spoken = "";

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    const report = (message: string | null) => {
      this.#message = message;
      this.#draw();
      if (this.#shown !== null && this.#shown.step !== this.#scrolled) this.#scroll(this.#shown);
    };
    this.#draw();
    this.#request = keepUpdated(body, app, () => this.#update(), report);
  }

  async #update(): Promise<void> {
    const { model, mask } = this.#app.state;
    const before = this.#shown?.step;
    const { temperature, seed, ...rules } = this.#settings;
    const settings = { ...rules, temperature: temperature ?? 1, seed: seed ?? Number.NaN };
    const request = { model, mask, prompt: this.#prompt, step: this.#step, settings };
    const shown = await this.#app.engine.ask("oneToken", request);
    // The command line has the shipped model, and no mask but the causal one.
    const isCommand = model === "shipped" && mask === "on";
    this.#shown = { ...shown, command: isCommand ? commandOf(shown.prompt, shown.step, settings) : [] };
    if (shown.step !== before) this.#spoken = `${visible(shown.text[shown.text.length - 1])} is drawn`;
    // A button may have been pressed in the meantime.
    this.#step = Math.min(this.#step, shown.steps);
  }

  /** Brings the newest column of the cache into view. */
  #scroll({ step, cache }: OneToken): void {
    this.#scrolled = step;
    for (const box of this.#body.querySelectorAll(".scroll"))
      box.scrollLeft = (cache.positions + 1) * COLUMN - box.clientWidth;
  }

  #draw(): void {
    const [shown, message] = [this.#shown, this.#message];
    render(
      html`${this.#controls()}
        ${message === null ? "" : html`<p class="refused" role="alert">${message}</p>`}
        ${shown === null ? "" : html`<div class=${message === null ? "" : "outdated"}>${viewOf(shown, shown.command)}</div>`}
        <p class="visually-hidden" aria-live="polite">${this.#spoken}</p>`,
      this.#body,
    );
  }

  #controls() {
    const go = (steps: number) => () => {
      this.#step += steps;
      this.#request();
    };
    const type = ({ target }: Event) => {
      if (!(target instanceof HTMLInputElement)) return;
      [this.#prompt, this.#step] = [target.value, 1];
      this.#request();
    };
    const set =
      (name: Field) =>
      ({ target }: Event) => {
        if (!(target instanceof HTMLInputElement)) return;
        this.#settings[name] = target.value === "" ? null : target.valueAsNumber;
        this.#request();
      };
    const { step = 1, steps = 1 } = this.#shown ?? {};
    return html`<div class="row">
        <label class="field">prompt <input class="prompt" value=${this.#shown?.prompt ?? ""} spellcheck="false" autocomplete="off" @input=${type}></label>
        <button ?disabled=${this.#step <= 1} @click=${go(-1)}>Back</button>
        <button class="main" ?disabled=${this.#step >= steps} @click=${go(1)}>Next token</button>
        <span class="mono">token ${step} of at most ${steps}</span>
      </div>
      <div class="row">${NAMES.map(
        (name) => html`<label class="field">${FIELDS[name].label}
          <input type="number" min="0" step=${FIELDS[name].step} value=${INITIAL[name] ?? ""} placeholder="off" @input=${set(name)}>
        </label>`,
      )}</div>`;
  }
}

/** What computes the same in a terminal. */
function commandOf(prompt: string, tokens: number, settings: Readonly<Settings>): string[] {
  const flags = NAMES.filter((name) => settings[name] !== null).map(
    (name) => `--${FIELDS[name].label.replace(" ", "-")} ${settings[name]}`,
  );
  const text = `--prompt ${shellWord(prompt)}`;
  return ["npx nopeek sample --model tales", text, `--tokens ${tokens}`, ...flags, "--explain"];
}

function viewOf(shown: OneToken, command: readonly string[]) {
  const { text, cache } = shown;
  const read = text.slice(0, -1);
  return html`<p class="written mono"><span class="visually-hidden">text so far: </span>${read.join("")}<mark>${visible(text[read.length])}</mark></p>
    <div class="pair">
      <div><h3>The model’s candidates</h3>${candidatesOf(shown)}</div>
      <div><h3>The rules, in order</h3>${rulesOf(shown)}<h3>The draw</h3>${drawOf(shown)}</div>
    </div>
    ${command.length === 0 ? "" : html`<p class="quiet">In a terminal: <code>${command.map((part) => html`<span>${part}</span> `)}</code></p>`}
    <div class="pair">
      <div>
        <h3>The KV cache</h3>
        <p>${cacheSentence(shown)}</p>
        <div class="scroll" tabindex="0" role="region" aria-label="KV cache">${drawCache(cache, text, shown.read)}</div>
        <p class="quiet">A column for each position, a row for each head; the longer a vector, the stronger its color. Frames mark what this step has added.</p>
      </div>
      <div>
        <h3>In one parallel pass, and step by step</h3>
        ${waysOf(shown.ways, read)}
      </div>
    </div>`;
}

function cacheSentence({ text, read, cache, scores }: OneToken): string {
  const { positions, capacity } = cache;
  const what =
    read === 1
      ? `This step reads one token, “${visible(text[positions - 1])}”, and adds its keys and values.`
      : `The prompt is read in one pass: ${plural(read, "position")} at once.`;
  const { withCache, withoutCache, heads } = scores;
  const saved =
    read === 1
      ? `${plural(withCache, "score")} for each of ${plural(heads, "head")}; without a cache it would be all ${formatCount(withoutCache)} again.`
      : `${plural(withCache, "score")} for each of ${plural(heads, "head")}.`;
  return `${what} ${saved} ${positions} of ${formatCount(capacity)} positions are filled; the drawn token follows in the next step.`;
}
