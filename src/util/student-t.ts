/** Student's t distribution, for whole degrees of freedom. */
import { atan } from "../math.ts";

/**
 * The probability that |T| ≥ |t|: the two-sided p-value. Absolute error about 10⁻¹⁵.
 *
 * With θ = atan(t/√ν), it is 1 − A, where A is a finite sum. Source: Abramowitz & Stegun 1964, 26.7.3 and 26.7.4.
 *
 *   ν odd:   A = 2/π·(θ + sin θ·(cos θ + 2/3·cos³θ + … + (2·4…(ν−3))/(1·3…(ν−2))·cos^(ν−2) θ))
 *   ν even:  A = sin θ·(1 + 1/2·cos²θ + … + (1·3…(ν−3))/(2·4…(ν−2))·cos^(ν−2) θ)
 *
 * @param degrees the degrees of freedom (ν), from 1
 * @example twoSidedP(2.776, 4) // 0.05
 */
export function twoSidedP(t: number, degrees: number): number {
  const size = Math.abs(t);
  // The square would overflow.
  if (size > 1e100) return 0;
  const length = Math.sqrt(degrees + size * size);
  const sine = size / length;
  const cosineSquared = degrees / (degrees + size * size);
  const odd = degrees % 2 === 1;
  let term = odd ? Math.sqrt(cosineSquared) : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosineSquared;
  }
  const within = odd ? (2 / Math.PI) * (atan(size / Math.sqrt(degrees)) + sine * sum) : sine * sum;
  return Math.min(1, Math.max(0, 1 - within));
}

/**
 * The t ≥ 0 with this two-sided p-value, by bisection.
 *
 * @param p       0 < p < 1
 * @param degrees the degrees of freedom, from 1
 * @example criticalT(0.05, 4) // 2.776
 */
export function criticalT(p: number, degrees: number): number {
  let high = 1;
  while (twoSidedP(high, degrees) > p) high *= 2;
  let low = 0;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return high;
    if (twoSidedP(middle, degrees) > p) low = middle;
    else high = middle;
  }
}
