import type { Tensor } from "../../autograd/tensor.ts";
import { slice } from "../../ops/slice.ts";

/** The last position of each sequence: (B, T, C) → (B, 1, C). */
export function lastPosition(x: Tensor): Tensor {
  const positions = x.shape[1];
  return slice(x, 1, positions - 1, positions);
}
