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
  // In single precision each program is up to 1.4e-6 from what double precision gives, nopeek as llama.cpp. So two
  // of them cannot always be within 1e-6 of each other.
  probability: 2e-6,
  "rounding of llama.cpp": 2e-6,
  "rounding of nopeek": 2e-6,
  "log probability": 5e-5,
  // llama.cpp's default cache has half precision, with 11 bits. Greedy text can turn only where two tokens are so close
  // that both errors together exchange them.
  "half cache": 3e-2,
  "half cache gap": 6e-2,
  gradient: 1e-6,
  "gradient of a tensor": 2e-6,
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
