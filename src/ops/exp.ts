import type { Tensor } from "../autograd/tensor.ts";
import { map } from "./internal/map.ts";

/** y = eˣ, so dx = dy ⊙ y. */
export function exp(x: Tensor): Tensor {
  return map("exp", x);
}
