/** The settings of a training run that a person can change on the page. The link holds them. */

/**
 * small: learns to spell in seconds. tales: the settings and, for the same seed, the bits of `npm start`.
 */
export const RECIPES = ["small", "tales"] as const;
export type Recipe = (typeof RECIPES)[number];

/** The names of the settings that the page shows. */
export const SHOWN = ["layers", "heads", "dModel", "contextLength", "batchSize", "steps", "seed"] as const;
export type ShownSettings = Readonly<Record<(typeof SHOWN)[number], number>>;
