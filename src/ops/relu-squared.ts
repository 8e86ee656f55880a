import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = max(0, x)², which has no corner at 0. Source: So et al. 2021. */
export function reluSquared(x: Tensor): Tensor {
  return unary("relu2", x);
}
