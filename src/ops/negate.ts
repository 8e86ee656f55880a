import type { Tensor } from "../autograd/tensor.ts";
import { scale } from "./scale.ts";

/** y = −x. */
export function negate(x: Tensor): Tensor {
  return scale(x, -1);
}
