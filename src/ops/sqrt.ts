import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = √x, so dx = dy / 2y. */
export function sqrt(x: Tensor): Tensor {
  return unary("sqrt", x);
}
