/** Ways to hide the future in attention: the right one, two wrong ones, and none. */

/**
 * infinity: −∞ is added before the softmax. large: −10⁹ is added before it. after: weights become 0 after it. none:
 * nothing is hidden.
 */
export const WAYS = ["infinity", "large", "after", "none"] as const;
export type Way = (typeof WAYS)[number];
