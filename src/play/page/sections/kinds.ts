/** Section 7: an encoder, a decoder and an encoder–decoder, each with its mask, on a text of the reader. */
import { html, render, type TemplateResult } from "lit-html";
import { formatCount, formatLoss } from "../../../util/format.ts";
import type { AnsweredString, ContinuedText, FilledText, Reading } from "../../engine/kinds.ts";
import type { MaskMode } from "../../masks.ts";
import type { SideName, SideState } from "../../protocol.ts";
import type { App } from "../app.ts";
import { visible } from "../characters.ts";
import { drawGrowth } from "../draw/growth.ts";
import { drawMask } from "../draw/mask.ts";
import { formatShare } from "../numbers.ts";
import { keepUpdated } from "../updates.ts";

const UNTRAINED = html`<p class="quiet">It has not been trained yet: a guess.</p>`;

/** What the mask of a decoder shows with the switch off or shifted. */
const SWITCHED = {
  off: "off: each token sees the future too",
  shifted: "shifted: each token sees the next one too",
};

/** A kind of model: its input, and what the engine answers. */
interface Kind<Answer extends Reading> {
  readonly title: string;
  readonly like: string;
  readonly about: string;
  readonly input: { readonly label: string; readonly initial: string };
  readonly ask: (app: App, text: string) => Promise<Answer>;
  /** How a token without a text is drawn, and called for readers of the screen. */
  readonly unnamed: string;
  readonly spoken: string;
  readonly view: (answer: Answer, mask: MaskMode, text: string) => TemplateResult;
  /** Whether the switch applies to this cell; null if it applies to none. */
  readonly switched: ((answer: Answer, query: number, key: number) => boolean) | null;
  /** The model that is trained here; null if it is the one that the page looks at. */
  readonly side: { readonly name: SideName; readonly unit: string; readonly seconds: number } | null;
}

const ENCODER: Kind<FilledText> = {
  title: "Encoder",
  like: "BERT",
  about: "each token sees all: it fills in blanks",
  input: { label: "text with a _ for each blank", initial: "Bea the sq_irrel" },
  ask: (app, text) => app.engine.ask("fill", text),
  unnamed: "_",
  spoken: "[MASK]",
  view: filled,
  switched: null,
  side: { name: "encoder", unit: "blanks in unseen text", seconds: 20 },
};

const DECODER: Kind<ContinuedText> = {
  title: "Decoder",
  like: "GPT",
  about: "each token sees the past: it continues",
  input: { label: "text to continue", initial: "By the oak sat" },
  ask: (app, prompt) =>
    app.engine.ask("continueText", { model: app.state.model, mask: app.state.mask, prompt }),
  unnamed: "",
  spoken: "",
  view: continued,
  switched: (_, query, key) => key > query,
  side: null,
};

const ENCODER_DECODER: Kind<AnsweredString> = {
  title: "Encoder–decoder",
  like: "T5",
  about: "the answer sees the source and its past",
  input: { label: "string of 3 to 10 letters from a to j", initial: "badge" },
  ask: (app, source) => app.engine.ask("answerString", { source, mask: app.state.mask }),
  unnamed: "▸",
  spoken: "[start]",
  view: answered,
  switched: ({ sourceTokens }, query, key) => key > query && key >= sourceTokens,
  side: { name: "answers", unit: "unseen strings", seconds: 15 },
};

export function mountKinds(body: HTMLElement, app: App): void {
  render(
    html`<div class="kinds"><article class="kind"></article><article class="kind"></article><article class="kind"></article></div>`,
    body,
  );
  const [encoder, decoder, both] = body.querySelectorAll("article");
  mountKind(encoder, app, ENCODER);
  mountKind(decoder, app, DECODER);
  mountKind(both, app, ENCODER_DECODER);
}

function mountKind<Answer extends Reading & { readonly state?: SideState }>(
  root: HTMLElement,
  app: App,
  kind: Kind<Answer>,
): void {
  const { title, like, input, side } = kind;
  let text = input.initial;
  let shown: { readonly text: string; readonly mask: MaskMode; readonly answer: Answer } | null = null;
  let state: SideState | null = null;
  let message: string | null = null;

  const update = async () => {
    const { mask } = app.state;
    const asked = text;
    const answer = await kind.ask(app, asked);
    shown = { text: asked, mask, answer };
    state = answer.state ?? state;
  };
  const type = ({ target }: Event) => {
    if (target instanceof HTMLInputElement) text = target.value;
    request();
  };
  const draw = () =>
    render(
      html`<h3>${title} <span>as in ${like}</span></h3>
        <label class="field">${input.label}
          <input class="typed" value=${input.initial} spellcheck="false" autocomplete="off" @input=${type}></label>
        ${message === null ? "" : html`<p class="refused" role="alert">${message}</p>`}
        ${shown === null ? "" : html`<div class=${message === null ? "" : "outdated"}>${viewOf(kind, shown.answer, shown.mask, shown.text)}</div>`}
        ${side === null || state === null ? "" : training(app, side, state)}`,
      root,
    );
  const request = keepUpdated(root, app, update, (refusal) => {
    message = refusal;
    draw();
  });
  if (side !== null) {
    app.engine.onEvent((event) => {
      if (event.kind !== "side" || event.name !== side.name) return;
      const isBetter = event.state.measured.length !== state?.measured.length;
      state = event.state;
      draw();
      if (isBetter) request();
    });
    pauseWhileHidden(app, side.name, () => state?.isTraining ?? false);
  }
  draw();
}

function viewOf<Answer extends Reading>(kind: Kind<Answer>, answer: Answer, mask: MaskMode, text: string) {
  const { about, unnamed, spoken, switched, view } = kind;
  const { tokens, mask: values } = answer;
  const isSwitched = mask !== "on" && switched !== null;
  return html`${drawMask({
    ...{ title: "mask", mask: values, tokens, unnamed, spoken },
    about: isSwitched ? SWITCHED[mask] : about,
    peeks: (query, key) => isSwitched && switched(answer, query, key),
  })}${view(answer, mask, text)}`;
}

function filled({ text, blanks, state }: FilledText, mask: MaskMode) {
  const positions = new Set(blanks.map(({ position }) => position));
  const share = ({ text: token, probability }: { text: string; probability: number }) =>
    html`<td><span class="mono">${visible(token)}</span> ${formatShare(probability)}</td>`;
  return html`<p class="written">${Array.from(text, (character, t) => (positions.has(t) ? html`<mark>${visible(character)}</mark>` : character))}</p>
    ${state.stepsDone === 0 ? UNTRAINED : ""}
    <table><tbody>${blanks.map(({ position, candidates }) => html`<tr><th scope="row">position ${position}</th>${candidates.map(share)}</tr>`)}</tbody></table>
    ${mask === "on" ? "" : html`<p class="insight">The switch changes nothing here: an encoder has no causal mask. It may see all because what it has to predict is not in its input: [MASK] is in its place.</p>`}`;
}

function continued({ text, causalText, layers }: ContinuedText, mask: MaskMode, prompt: string) {
  const written = (end: string) => html`<p class="written">${prompt}<mark>${end}</mark></p>`;
  if (mask === "on") return written(text);
  if (text !== causalText)
    return html`${written(text)}<p class="quiet">with the mask on:</p>${written(causalText)}
      <p class="insight">The prompt is read with another mask, so its rows change, and with them the text that follows.</p>`;
  return html`${written(text)}<p class="insight">The same text as with the mask on: ${
    layers === 1
      ? "when a token is written, nothing is to its right yet, and with one layer only its row counts."
      : "the rows of the prompt change, but for this prompt not enough to change a choice."
  } In training the mask matters: see section 1.</p>`;
}

function answered({ answer, correct, state }: AnsweredString, mask: MaskMode, source: string) {
  const isRight = answer === correct;
  const judgment = html`<p class=${isRight ? "quiet" : "peeks"}>${isRight ? "right: it is reversed" : html`wrong: reversed, it is <span class="mono">${correct}</span>`}</p>`;
  return html`<p class="written">${source} → <mark>${answer === "" ? "nothing" : answer}</mark></p>
    ${state.stepsDone === 0 ? UNTRAINED : judgment}
    ${mask === "on" ? "" : html`<p class="insight">Trained without the causal mask, its loss falls to 0, because each token of the answer is in its input, one position to the right. It learns to copy, and no answer is right. Train it and see.</p>`}`;
}

function training(app: App, side: NonNullable<Kind<Reading>["side"]>, state: SideState) {
  const { stepsDone, steps, isTraining, lossNats, secondsLeft, measured } = state;
  const { name, unit, seconds } = side;
  const verb = isTraining
    ? "Pause"
    : stepsDone === 0
      ? "Train it here"
      : stepsDone === steps
        ? "Train it again"
        : "Continue";
  const last = measured.at(-1);
  const left = secondsLeft === null ? "" : ` · ${Math.ceil(secondsLeft)} s left`;
  const progress =
    lossNats === null
      ? `${formatCount(steps)} steps, about ${seconds} seconds`
      : `step ${formatCount(stepsDone)} of ${formatCount(steps)} · loss ${formatLoss(lossNats)}${left}`;
  return html`<div class="row">
      <button @click=${() => void app.engine.ask("trainSide", { name, isOn: !isTraining })}>${verb}</button>
      <span class="quiet">${progress}</span>
    </div>
    ${last === undefined ? "" : html`<figure class="growth"><figcaption><b>${last.right} of ${last.of}</b> ${unit} right</figcaption>${drawGrowth(measured)}</figure>`}`;
}

/** While the page is hidden, nothing is shown and the battery matters more. */
function pauseWhileHidden(app: App, name: SideName, isTraining: () => boolean): void {
  let wasTraining = false;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) wasTraining = isTraining();
    if (wasTraining) void app.engine.ask("trainSide", { name, isOn: !document.hidden });
  });
}
