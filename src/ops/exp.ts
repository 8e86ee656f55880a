import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = eˣ, so dx = dy ⊙ y. */
export function exp(x: Tensor): Tensor {
  return unary("exp", x);
}
