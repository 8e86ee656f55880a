/** Numbers of the page, short enough for a cell. */

/** Two decimals and a real minus sign; only a whole number has none, so that 0.00 says that it is not 0. */
export function formatCell(value: number): string {
  if (value === Number.NEGATIVE_INFINITY) return "−∞";
  if (value < -1e6) return "−10⁹";
  return value.toFixed(Number.isInteger(value) ? 0 : 2).replace("-", "−");
}

/** Two decimals and a real minus sign. */
export function signed(value: number): string {
  return value.toFixed(2).replace("-", "−");
}

/** "12%"; less than half a percent is not "0%". */
export function formatShare(share: number): string {
  return share > 0 && share < 0.005 ? "less than 1%" : `${Math.round(100 * share)}%`;
}
