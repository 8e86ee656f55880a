/** The positions of the mask switch. */

/** off: every position sees every other. shifted: every position also sees the next one, an off-by-one error. */
export const MASK_MODES = ["on", "off", "shifted"] as const;
export type MaskMode = (typeof MASK_MODES)[number];
