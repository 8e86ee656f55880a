import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = tanh x, so dx = dy ⊙ (1 − y²). */
export function tanh(x: Tensor): Tensor {
  return unary("tanh", x);
}
