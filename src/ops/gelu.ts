import type { Tensor } from "../autograd/tensor.ts";
import type { GeluName } from "../backend/backend.ts";
import { unary } from "./unary.ts";

/** "exact" is x·Φ(x); "tanh" is the approximation that GPT-2 was trained with. */
export type GeluForm = "exact" | "tanh";

/**
 * Gaussian error linear unit: x weighted by the share of a standard normal distribution that lies below it.
 *
 *   exact: y = x·Φ(x) = ½x·(1 + erf(x/√2))
 *   tanh:  y = ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
 *
 * Source: Hendrycks & Gimpel 2016.
 */
export function gelu(x: Tensor, form: GeluForm = "exact"): Tensor {
  return unary(geluName(form), x);
}

/** The form in the words of the kernels. */
export function geluName(form: GeluForm): GeluName {
  return form === "exact" ? "gelu" : "gelu-tanh";
}
