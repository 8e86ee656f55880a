/** Which tokens of a validation split a full evaluation covers. */
import type { Settings } from "../config/settings.ts";
import type { Range } from "./loss.ts";

/** Number of validation tokens in a full evaluation. */
export function measuredTokens(
  { start, end }: Range,
  { measureTokens }: Pick<Settings, "measureTokens">,
): number {
  return Math.min(end - start, measureTokens);
}

/**
 * Identifies the tokens of a full evaluation: the text, its validation split, and how many of them.
 *
 * @param sha256 of the text
 */
export function measuredSet(
  sha256: string,
  heldOut: Range,
  settings: Pick<Settings, "measureTokens" | "split">,
): string {
  const { start, end } = heldOut;
  return `${sha256} ${settings.split} ${start} ${end} ${measuredTokens(heldOut, settings)}`;
}
