/** Shows a parallel pass and single steps over the same text, and how far their logits are apart. */
import { html, svg } from "lit-html";
import { formatCount } from "../../../util/format.ts";
import type { BothWays, Way } from "../../engine/both-ways.ts";
import { COLUMN, drawLetters } from "./cache.ts";

/** The height of the highest bar, and of a row of zeros, in pixels. */
const [HIGHEST, ZEROS] = [44, 16];

export function waysOf(ways: BothWays, text: readonly string[]) {
  const { parallel, stepwise } = ways;
  const row = (name: string, show: (way: Way) => string) =>
    html`<tr><th scope="row">${name}</th><td class="value">${show(parallel)}</td><td class="value">${show(stepwise)}</td></tr>`;
  return html`<table>
      <thead><tr><td></td><th scope="col" class="value">as in training</th><th scope="col" class="value">as in inference</th></tr></thead>
      <tbody>
        ${row("passes", ({ passes }) => formatCount(passes))}
        ${row("positions in a pass", ({ passes }) => formatCount(text.length / passes))}
        ${row("scores of each head", ({ scores }) => formatCount(scores))}
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
  return `${formatCount(unequal)} of ${formatCount(logits)} logits differ, by up to ${most.toFixed(2)}. Step by step there is nothing to the right yet, so the steps are causal even without the mask. The parallel pass reads ahead, so what it trains is not what the steps compute.`;
}

function drawDifferences({ differences }: BothWays, text: readonly string[]) {
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
