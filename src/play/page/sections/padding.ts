/** Section 6: the causal mask, the padding mask and their sum for two texts in one batch, and what each is for. */
import { html, render } from "lit-html";
import { formatCount } from "../../../util/format.ts";
import type { BlindPosition, MaskedRow, PaddingAnswer, PaddingRequest } from "../../engine/padding.ts";
import type { MaskMode } from "../../masks.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawMask } from "../draw/mask.ts";
import { formatCell } from "../numbers.ts";
import { keepUpdated } from "../updates.ts";

const PAD = "□";
const SWITCHED: Readonly<Record<MaskMode, readonly [title: string, about: string]>> = {
  on: ["causal", "hides the future"],
  off: ["mask off", "hides nothing"],
  shifted: ["shifted by one", "shows the next token"],
};

export function mountPadding(body: HTMLElement, app: App): void {
  let [texts, side]: [readonly [string, string], PaddingRequest["side"]] = [["Tilda", "Abe"], "left"];
  let shown: { readonly request: PaddingRequest; readonly answer: PaddingAnswer } | null = null;
  let message: string | null = null;

  const update = async () => {
    const { model, mask } = app.state;
    const request = { model, mask, texts, side };
    shown = { request, answer: await app.engine.ask("padding", request) };
  };
  const type =
    (row: 0 | 1) =>
    ({ target }: Event) => {
      if (!(target instanceof HTMLInputElement)) return;
      texts = row === 0 ? [target.value, texts[1]] : [texts[0], target.value];
      request();
    };
  const choose = ({ target }: Event) => {
    if (target instanceof HTMLSelectElement) side = target.value === "right" ? "right" : "left";
    request();
  };
  const draw = () =>
    render(
      html`<div class="row">
        ${([0, 1] as const).map(
          (row) => html`<label class="field">text ${row + 1}
            <input class="typed" value=${texts[row]} spellcheck="false" autocomplete="off" @input=${type(row)}></label>`,
        )}
        <label class="field">padding on the
          <select @change=${choose}><option>left</option><option>right</option></select></label>
      </div>
      ${message === null ? "" : html`<p class="refused" role="alert">${message}</p>`}
      ${shown === null ? "" : html`<div class=${message === null ? "" : "outdated"}>${viewOf(shown.request, shown.answer)}</div>`}`,
      body,
    );
  draw();
  const request = keepUpdated(body, app, update, (refusal) => {
    message = refusal;
    draw();
  });
}

function viewOf(request: PaddingRequest, answer: PaddingAnswer) {
  const { rows, blind, unchanged } = answer;
  return html`
    <div class="batch">${rows.map((row, b) => masksOf(request, row, request.texts[b], blind?.row === b ? blind.position : undefined))}</div>
    ${
      unchanged === null
        ? html`<p class="note">Both texts have the same length, so there is no padding. Make one of them shorter.</p>`
        : html`<div class="pair">
        <div>${blind === null ? noBlind(request) : blindRow(blind, rows[blind.row], request.texts[blind.row])}</div>
        <div>${counts(request, unchanged)}</div>
      </div>`
    }`;
}

function masksOf({ mask }: PaddingRequest, row: MaskedRow, text: string, blind: number | undefined) {
  const { tokens, causal, padding, both } = row;
  const peeks = (query: number, key: number) => mask !== "on" && key > query;
  const shared = { tokens, unnamed: PAD, spoken: "[pad]" };
  const [title, about] = SWITCHED[mask];
  return html`<div>
    <h3>Row <span class="mono">“${visible(text)}”</span>${tokens.includes(null) ? html` <span class="quiet">□ is [pad]</span>` : ""}</h3>
    <div class="three">
      ${drawMask({ ...shared, title, about, mask: causal, peeks })}
      ${drawMask({ ...shared, title: "+ padding", about: "hides □", mask: padding })}
      ${drawMask({ ...shared, title: "= both", about: "the sum", mask: both, peeks, selected: blind })}
    </div>
  </div>`;
}

/** The numbers of a row that sees nothing. */
function blindRow(
  { position, scores, exponentials, textbook, weights }: BlindPosition,
  { tokens, both }: MaskedRow,
  text: string,
) {
  const line = (name: string, values: readonly number[]) =>
    html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td class="value">${formatCell(value)}</td>`)}</tr>`;
  return html`<h3>Row ${position} of <span class="mono">“${visible(text)}”</span> sees nothing</h3>
    <p>It is padding itself: every key is in its future or is padding. A softmax over nothing is 0/0.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="the row that sees nothing, in numbers">
      <table class="attention-row">
        <thead><tr><th scope="row">key</th>${tokens.map((token) => html`<th scope="col" class="value">${token === null ? PAD : visible(token)}</th>`)}</tr></thead>
        <tbody>
          ${line("score S", scores)}${line("+ mask", both[position])}${line("exp(S + mask)", exponentials)}
          ${line("÷ their sum", textbook)}${line("our softmax", weights)}
        </tbody>
      </table>
    </div>
    <p class="insight">A NaN would spread. The next layer computes keys and values from this row, and even a weight of 0 times NaN is NaN: the text would be lost. So our softmax gives a row without visible keys the weights 0.</p>`;
}

function noBlind({ mask, side }: PaddingRequest) {
  const why =
    mask === "off"
      ? "Without the causal mask, padding sees the text too."
      : side === "right"
        ? "Padding on the right comes after the text and sees it. Pad on the left to get rows that see nothing."
        : "Each position of padding sees a token of the text.";
  return html`<h3>Each row sees something</h3><p>${why} What it computes is never used.</p>`;
}

function counts({ mask, side, texts }: PaddingRequest, unchanged: NonNullable<PaddingAnswer["unchanged"]>) {
  const { row, logits, both, onlyCausal, onlyPadding } = unchanged;
  const line = (name: string, same: number) =>
    html`<tr><th scope="row">${name}</th><td class="value ${same === logits ? "" : "peeks"}">${formatCount(same)} of ${formatCount(logits)}</td></tr>`;
  return html`<h3>Padding changes nothing</h3>
    <p>Logits of <span class="mono">“${visible(texts[row])}”</span> in the batch that equal its logits alone, to the bit:</p>
    <table>
      <tbody>
        ${line("both masks", both)}
        ${line("no padding mask", onlyCausal)}
        ${mask === "off" ? "" : line("padding mask only", onlyPadding)}
      </tbody>
    </table>
    <p class="insight">${
      onlyCausal === logits
        ? "Here the causal mask alone is enough: padding on the right is in the future of every token of the text. The loss must still leave it out."
        : `${side === "left" ? "Without the padding mask" : "Unless it is hidden"}, tokens attend to padding as if it were text, and the answer depends on the length of the other text.`
    }</p>`;
}
