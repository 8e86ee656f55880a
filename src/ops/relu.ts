import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = max(x, 0), so dx = dy where x > 0, and 0 elsewhere, at 0 too. */
export function relu(x: Tensor): Tensor {
  return unary("relu", x);
}
