import type { Tensor } from "../autograd/tensor.ts";
import { map } from "./internal/map.ts";

/** y = √x, so dx = dy / 2y. */
export function sqrt(x: Tensor): Tensor {
  return map("sqrt", x);
}
