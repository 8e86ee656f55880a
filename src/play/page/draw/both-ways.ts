/** Draws, for each position, how far the logits of a parallel pass and of single steps are apart. */
import { svg } from "lit-html";
import type { BothWays } from "../../engine/both-ways.ts";
import { COLUMN, drawLetters } from "./cache.ts";

/** The height of the highest bar, and of a row of zeros, in pixels. */
const [HIGHEST, ZEROS] = [44, 16];

export function drawDifferences({ differences }: BothWays, text: readonly string[]) {
  const largest = differences.reduce((most, difference) => Math.max(most, difference), 0);
  const base = largest === 0 ? ZEROS : HIGHEST;
  const width = COLUMN * differences.length;
  return svg`<svg class="differences" width=${width} height=${base + 16} aria-hidden="true">
    <line x1="0" x2=${width} y1=${base} y2=${base}></line>
    ${differences.map((difference, position) => {
      const height = (difference / (largest || 1)) * base;
      if (difference === 0)
        return svg`<text x=${(position + 0.5) * COLUMN} y=${base - 4} text-anchor="middle">0</text>`;
      return svg`<rect x=${position * COLUMN + 1} width=${COLUMN - 1} y=${base - height} height=${height}></rect>`;
    })}
    ${drawLetters(text, base + 12)}
  </svg>`;
}
