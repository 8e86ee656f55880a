import type { Tensor } from "../autograd/tensor.ts";
import { unary } from "./internal/unary.ts";

/** y = x·σ(x) with σ(x) = 1/(1 + e^{−x}), also called swish. Source: Elfwing, Uchibe & Doya 2017. */
export function silu(x: Tensor): Tensor {
  return unary("silu", x);
}
