/** What a check claims, and how large each measured number may be. */

/** A line that a check prints. */
export interface Measured {
  readonly case: string;
  readonly claim: string;
  readonly measured: number;
}

/**
 * Limits of the claims. Logits are compared relative to max(1, max |logit|), so 4e-6 is about 30 roundings of single
 * precision. A wrong epsilon of a norm gives 6e-3, and the other GELU 2.8e-4. Counts of differences must be 0.
 */
export const LIMITS: Readonly<Record<string, number>> = {
  logits: 4e-6,
  whole: 4e-6,
  cached: 4e-6,
  padded: 4e-6,
  // Half a difference of logits, and what llama.cpp's softmax in single precision rounds.
  probability: 4e-6,
  "log probability": 5e-5,
  "half cache": 5e-2,
  greedy: 0,
  beam: 0,
  pipeline: 0,
  "end tokens": 0,
  tokenizer: 0,
};

/** Why a measured number is not good; null if it is. */
export function faultOf({ claim, measured }: Measured, limits = LIMITS): string | null {
  if (!Object.hasOwn(limits, claim)) return "no limit is known for this claim";
  if (!Number.isFinite(measured)) return "not a number";
  return measured <= limits[claim] ? null : "above its limit";
}

/** The claims that a check should have made and did not. */
export function missingClaims(
  made: readonly Measured[],
  cases: readonly string[],
  claims: readonly string[],
): string[] {
  const found = new Set(made.map((line) => `${line.case}: ${line.claim}`));
  const wanted = cases.flatMap((name) => claims.map((claim) => `${name}: ${claim}`));
  return wanted.filter((line) => !found.has(line));
}
