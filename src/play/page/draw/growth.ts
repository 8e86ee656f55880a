/** Draws how a model's results grow while it trains: a bar for each measurement. */
import { svg } from "lit-html";
import type { Measured } from "../../protocol.ts";

const [WIDTH, HEIGHT, STEP] = [224, 36, 14];

export function drawGrowth(measured: readonly Measured[]) {
  const label = `right after each measurement: ${measured.map(({ right }) => right).join(", ")}`;
  return svg`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width=${WIDTH} role="img" aria-label=${label}>
    ${measured.map(({ right, of }, i) => {
      const height = (HEIGHT * right) / of;
      return svg`<rect x=${i * STEP} y=${HEIGHT - height} width=${STEP - 3} height=${height}></rect>`;
    })}
    <path d="M0 .5H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"></path>
  </svg>`;
}
