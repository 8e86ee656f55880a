/** Draws a mask of 0 and −∞. */
import { html } from "lit-html";
import { visible } from "../characters.ts";
import { formatCell } from "../numbers.ts";
import { drawMatrix } from "./matrix.ts";

export interface DrawnMask {
  readonly title: string;
  readonly about: string;
  readonly mask: readonly (readonly number[])[];
  /** The text of each token; null for one without a text. */
  readonly tokens: readonly (string | null)[];
  /** The character that names a token without a text, and its name for readers of the screen. */
  readonly unnamed: string;
  readonly spoken: string;
  /** Whether a visible key is one that should be hidden. Default: none is. */
  readonly peeks?: (query: number, key: number) => boolean;
  /** A framed row. Default: none. */
  readonly selected?: number | undefined;
}

/** Visible cells have a light color, so that their 0 is easy to read. */
const RANGE = [-1, 4] as const;

export function drawMask({ title, about, mask, tokens, unnamed, spoken, peeks, selected }: DrawnMask) {
  const named = (name: string) => tokens.map((text) => (text === null ? name : visible(text)));
  const seen = mask.map((row) => row.filter((value) => value === 0).length);
  const picture = drawMatrix({
    label: `${title}: ${about}. Rows: ${named(spoken).join(" ")}. Each sees ${seen.join(", ")} of ${tokens.length}`,
    values: mask,
    rows: named(unnamed),
    columns: named(unnamed),
    toneOf: (t, s) => (mask[t][s] < 0 ? "hidden" : peeks?.(t, s) ? "peek" : "plain"),
    format: formatCell,
    range: RANGE,
    ...(selected === undefined ? {} : { selected }),
  });
  return html`<figure><figcaption><b>${title}</b> ${about}</figcaption>${picture}</figure>`;
}
