import type { Tensor } from "../autograd/tensor.ts";
import type { GeluName } from "../backend/backend.ts";
import { checkChoice } from "../util/check-types.ts";
import { unary } from "./unary.ts";

/** "exact" is x·Φ(x); "tanh" is the approximation that GPT-2 uses. */
export type GeluForm = "exact" | "tanh";

/**
 * Gaussian error linear unit: x times the probability that a standard normal variable is below x.
 *
 *   exact: y = x·Φ(x) = ½x·(1 + erf(x/√2))
 *   tanh:  y = ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
 *
 * Source: Hendrycks & Gimpel 2016.
 *
 * @returns the shape of x
 * @example gelu(x) // [-1, 0, 1] → [-0.1587, 0, 0.8413]
 */
export function gelu(x: Tensor, form: GeluForm = "exact"): Tensor {
  return unary(geluName(form), x);
}

/** The name of the kernel for this form. */
export function geluName(form: GeluForm): GeluName {
  checkChoice("form", form, ["exact", "tanh"]);
  return form === "exact" ? "gelu" : "gelu-tanh";
}
