import type { Tensor } from "../autograd/tensor.ts";
import { map } from "./internal/map.ts";

/** y = tanh x, so dx = dy ⊙ (1 − y²). */
export function tanh(x: Tensor): Tensor {
  return map("tanh", x);
}
