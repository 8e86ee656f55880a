/** Draws a KV cache as SVG: a column for each position, a row for each head. */
import { svg } from "lit-html";
import type { CacheView } from "../../engine/cache-view.ts";
import { visible } from "../characters.ts";

/** Sizes in pixels. */
export const COLUMN = 14;
const [ROW, TITLE, GAP, LETTERS] = [7, 16, 8, 14];
/** Columns that are always drawn, and empty columns after the cached positions. */
const [LEAST, AHEAD] = [36, 4];
/** Shades of the norms. */
const SHADES = 8;

/**
 * @param text the text of each token
 * @param read the number of columns that are new
 */
export function drawCache({ layers, positions, capacity }: CacheView, text: readonly string[], read: number) {
  const blocks = layers.flatMap(({ keys, values }, layer) => [
    { name: `layer ${layer} keys`, rows: keys },
    { name: `layer ${layer} values`, rows: values },
  ]);
  const height = TITLE + blocks[0].rows.length * ROW + GAP;
  const bottom = blocks.length * height;
  const width = COLUMN * Math.min(capacity, Math.max(LEAST, positions + AHEAD));
  return svg`<svg class="cache" width=${width + 2} height=${bottom + LETTERS} role="img" aria-label="${positions} of ${capacity} positions are cached">
    ${blocks.map(({ name, rows }, i) => {
      const [x, y] = [(positions - read) * COLUMN + 0.5, i * height + TITLE - 1.5];
      return svg`${drawBlock(name, rows, i * height, width)}
        <rect class="new" x=${x} y=${y} width=${read * COLUMN} height=${rows.length * ROW + 2}></rect>`;
    })}
    ${drawLetters(text.slice(0, positions), bottom + 8)}
  </svg>`;
}

/** The characters under the columns. */
export function drawLetters(text: readonly string[], y: number) {
  return text.map(
    (token, i) =>
      svg`<text x=${(i + 0.5) * COLUMN} y=${y} text-anchor="middle">${visible(token).slice(0, 1)}</text>`,
  );
}

function drawBlock(name: string, rows: readonly (readonly number[])[], top: number, width: number) {
  const [lowest, highest] = rows
    .flat()
    .reduce(
      ([low, high], norm) => [Math.min(low, norm), Math.max(high, norm)],
      [Number.POSITIVE_INFINITY, 0],
    );
  const cells = Array.from({ length: SHADES }, () => "");
  for (const [head, norms] of rows.entries())
    for (const [position, norm] of norms.entries()) {
      const shade = Math.floor(((norm - lowest) / (highest - lowest || 1)) * (SHADES - 0.001));
      cells[shade] +=
        `M${position * COLUMN + 1} ${top + TITLE + head * ROW}h${COLUMN - 1}v${ROW - 1}h${1 - COLUMN}z`;
    }
  return svg`<text x="0" y=${top + TITLE - 5}>${name}: norms from ${lowest.toFixed(2)} to ${highest.toFixed(2)}</text>
    <rect class="room" x="0" y=${top + TITLE} width=${width} height=${rows.length * ROW - 1}></rect>
    ${cells.map((path, shade) => svg`<path d=${path} fill-opacity=${(shade + 1) / SHADES}></path>`)}`;
}
