import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = ln x, so dx = dy / x. ln 0 is −∞; of a negative number, NaN. */
export function log(x: Tensor): Tensor {
  return unary("log", x);
}
