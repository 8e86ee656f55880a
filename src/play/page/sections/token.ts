/** Section 4: one token, from the logits to the draw, and the KV cache that grows with it. */
import { html, render, svg } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import type { BothWays, Way } from "../../engine/both-ways.ts";
import type { OneToken, ShownCandidate, ShownRule } from "../../engine/one-token.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawDifferences } from "../draw/both-ways.ts";
import { COLUMN, drawCache } from "../draw/cache.ts";
import { signed } from "../numbers.ts";
import { keepUpdated } from "../updates.ts";

const FIELDS = {
  repetitionPenalty: { label: "repetition penalty", initial: null, step: 0.1 },
  temperature: { label: "temperature", initial: 0.8, step: 0.1 },
  topK: { label: "top-k", initial: 8, step: 1 },
  topP: { label: "top-p", initial: 0.95, step: 0.05 },
  minP: { label: "min-p", initial: null, step: 0.05 },
  seed: { label: "seed", initial: 1337, step: 1 },
} as const;
type Field = keyof typeof FIELDS;
const NAMES: readonly Field[] = ["repetitionPenalty", "temperature", "topK", "topP", "minP", "seed"];
const PROMPT = "By the oak sat ";

export function mountToken(body: HTMLElement, app: App): void {
  new TokenSection(body, app);
}

class TokenSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  readonly #request: () => void;
  #prompt = PROMPT;
  /** null for an empty field, which leaves a rule out. */
  readonly #settings: Record<Field, number | null>;
  #step = 1;
  #shown: OneToken | null = null;
  #message: string | null = null;

  /** The step whose new column was scrolled into view. */
  #scrolled = 0;

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    const initial = (name: Field) => FIELDS[name].initial;
    const [repetitionPenalty, temperature, topK, topP, minP, seed] = NAMES.map(initial);
    this.#settings = { repetitionPenalty, temperature, topK, topP, minP, seed };
    const report = (message: string | null) => {
      this.#message = message;
      this.#draw();
      if (this.#scrolled === this.#step) return;
      this.#scrolled = this.#step;
      const end = endOfColumns(this.#shown);
      for (const box of body.querySelectorAll(".scroll")) box.scrollLeft = end - box.clientWidth;
    };
    this.#draw();
    this.#request = keepUpdated(body, app, () => this.#update(), report);
  }

  async #update(): Promise<void> {
    const { model, mask } = this.#app.state;
    const { temperature, seed, ...rules } = this.#settings;
    const settings = { ...rules, temperature: temperature ?? 1, seed: seed ?? Number.NaN };
    const request = { model, mask, prompt: this.#prompt, step: this.#step, settings };
    this.#shown = await this.#app.engine.ask("oneToken", request);
    this.#step = this.#shown.step;
  }

  #draw(): void {
    render(
      html`${this.#controls()}${this.#message === null ? "" : html`<p class="refused" role="alert">${this.#message}</p>`}
      ${this.#shown === null ? "" : html`<div class=${this.#message === null ? "" : "outdated"}>${viewOf(this.#shown)}</div>`}`,
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
    const steps = this.#shown?.steps ?? 1;
    return html`<div class="row">
        <label class="field">prompt <input class="prompt" value=${PROMPT} spellcheck="false" autocomplete="off" @input=${type}></label>
        <button ?disabled=${this.#step <= 1} @click=${go(-1)}>Back</button>
        <button class="main" ?disabled=${this.#step >= steps} @click=${go(1)}>Next token</button>
        <span class="mono">token ${this.#step} of at most ${steps}</span>
      </div>
      <div class="row">${NAMES.map(
        (name) => html`<label class="field">${FIELDS[name].label}
          <input type="number" min="0" step=${FIELDS[name].step} value=${FIELDS[name].initial ?? ""} placeholder="off" @input=${set(name)}>
        </label>`,
      )}</div>`;
  }
}

/** Where the drawing of the newest position ends, and a little more, in pixels. */
function endOfColumns(shown: OneToken | null): number {
  return ((shown?.cache.positions ?? 0) + 1) * COLUMN;
}

function viewOf(shown: OneToken) {
  const { text, cache } = shown;
  const read = text.slice(0, -1);
  return html`<p class="written mono"><span class="visually-hidden">text so far: </span>${read.join("")}<mark>${visible(text[read.length])}</mark></p>
    <div class="pair">
      <div><h3>The model’s candidates</h3>${candidatesOf(shown)}</div>
      <div><h3>The rules, in order</h3>${rulesOf(shown)}<h3>The draw</h3>${drawOf(shown)}</div>
    </div>
    <div class="pair">
      <div>
        <h3>The KV cache</h3>
        <p>${cacheSentence(shown)}</p>
        <div class="scroll" tabindex="0" role="region" aria-label="KV cache">${drawCache(cache, text, shown.read)}</div>
      </div>
      <div>
        <h3>In one parallel pass, and step by step</h3>
        ${waysOf(shown.ways, read)}
      </div>
    </div>`;
}

function candidatesOf({ candidates, vocabulary }: OneToken) {
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

function rulesOf({ rules }: OneToken) {
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
function drawOf({ candidates, uniform }: OneToken) {
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
    <p>The random number ${uniform.toFixed(4)} lies between ${drawn.start.toFixed(4)} and ${drawn.end.toFixed(4)}: <b class="mono">${visible(drawn.text)}</b></p>`;
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

function waysOf(ways: BothWays, text: readonly string[]) {
  const { parallel, stepwise } = ways;
  const row = (name: string, show: (way: Way) => string) =>
    html`<tr><th scope="row">${name}</th><td class="value">${show(parallel)}</td><td class="value">${show(stepwise)}</td></tr>`;
  return html`<table>
      <thead><tr><td></td><th scope="col" class="value">as in training</th><th scope="col" class="value">as in inference</th></tr></thead>
      <tbody>
        ${row("passes", ({ passes }) => formatCount(passes))}
        ${row("positions in a pass", ({ passes }) => formatCount(text.length / passes))}
        ${row("scores of a head", ({ scores }) => formatCount(scores))}
        ${row("time", ({ elapsedMs }) => `${elapsedMs.toFixed(1)} ms`)}
      </tbody>
    </table>
    <p class="quiet">The largest difference of a logit at each position:</p>
    <div class="scroll" tabindex="0" role="region" aria-label="differences by position">${drawDifferences(ways, text)}</div>
    <p class="insight">${difference(ways)}</p>`;
}

function difference({ unequal, logits, differences }: BothWays): string {
  if (unequal === 0)
    return `All ${formatCount(logits)} logits are equal, to the last bit. A position sees nothing to its right, so its keys and values never change, and a step may take them from the cache.`;
  const most = differences.reduce((high, each) => Math.max(high, each), 0);
  return `${formatCount(unequal)} of ${formatCount(logits)} logits differ, by up to ${most.toFixed(2)}. Step by step there is nothing to the right yet, so the steps are causal even without the mask. The parallel pass reads ahead. A model that is trained in such passes never meets what it computes when it writes.`;
}

/** "12.34%" */
function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
