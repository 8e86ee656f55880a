/** Draws the ways to hide the future, as a choice: why each works or not, and what it does here. */
import { html } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import type { WayFacts } from "../../engine/matrices.ts";
import type { MaskMode } from "../../masks.ts";
import { WAYS, type Way } from "../../ways.ts";
import type { ShownHead } from "./head.ts";

interface WayTexts {
  readonly title: string;
  readonly why: string;
}

const TEXTS: Readonly<Record<Way, WayTexts>> = {
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

const NOTES: Readonly<Record<MaskMode, string>> = {
  on: "",
  off: "The mask switch is off, so nothing is hidden in any way.",
  shifted: "The mask is shifted by one, so each way shows one position of the future.",
};

export function drawWays({ matrices, way: chosen, mask }: ShownHead, choose: (way: Way) => void) {
  return html`<fieldset class="ways">
      <legend>Ways to hide the future</legend>
      ${WAYS.map(
        (way) => html`<label class=${way === chosen ? "chosen" : ""}>
          <span><input type="radio" name="way" value=${way} .checked=${way === chosen} @change=${() => choose(way)}> <b>${TEXTS[way].title}</b></span>
          <span>${TEXTS[way].why}</span>
          ${drawFacts(way, matrices.ways[way])}
        </label>`,
      )}
    </fieldset>
    ${NOTES[mask] === "" ? "" : html`<p class="note">${NOTES[mask]}</p>`}`;
}

function drawFacts(way: Way, { smallestSum, largestSum, unequal, changed, compared }: WayFacts) {
  const [least, most] = [smallestSum, largestSum].map((sum) => sum.toFixed(2));
  const sums = least === most ? `rows sum to ${least}` : `rows sum to ${least} … ${most}`;
  const same = way !== "infinity" && unequal === 0 ? ", the same weights as with −∞, to the bit" : "";
  return html`<span class="facts">${sums}${same}</span>
    <span class="facts ${changed > 0 ? "leaks" : ""}">another last token changes ${formatCount(changed)} of ${plural(compared, "earlier weight")}</span>`;
}
