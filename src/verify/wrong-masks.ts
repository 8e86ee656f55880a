/** Mask matrices that let a position see later ones, to show what that does. */
import type { MaskMatrix } from "../nn/layers/textbook-attention.ts";

/** No mask: every position sees every other. */
export const showAll = maskShowing(() => true);
/** An off-by-one error: every position also sees the next one. */
export const showNext = maskShowing((key, position) => key <= position + 1);

/** The mask matrix M: 0 for keys that `shows` allows, −∞ for the others. */
function maskShowing(shows: (key: number, position: number) => boolean): MaskMatrix {
  return (queries, keys) =>
    Float64Array.from({ length: queries * keys }, (_, i) => {
      const position = keys - queries + Math.floor(i / keys);
      return shows(i % keys, position) ? 0 : Number.NEGATIVE_INFINITY;
    });
}
