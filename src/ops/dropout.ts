import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Dropping } from "../backend/backend.ts";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * Zeroes random elements and divides the others by 1 − probability, which preserves the expected value.
 *
 * Source: Srivastava et al. 2014.
 *
 * @param x           any shape
 * @param probability in [0, 1); with 0 the result is x
 * @param random      draws the key that decides which elements are dropped; null outside training, where none are
 * @returns           the shape of x
 * @throws ConfigError if the probability is outside [0, 1)
 * @example dropout(x, 0.1, Random.of(1)) // x (2, 3) → (2, 3)
 */
export function dropout(x: Tensor, probability: number, random: Random | null): Tensor {
  const context = contextOf("dropout", x);
  const dropping = droppingOf(probability, random);
  if (dropping === null) return x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.dropout(y.target, x.buffer, dropping);
  context.recordOp("dropout", y, (dy) => backend.dropout(x.gradientTarget(), dy, dropping));
  return y;
}

/** The arguments of dropout kernels, or null if nothing is dropped. */
export function droppingOf(probability: number, random: Random | null): Dropping | null {
  checkTypes("dropout", { probability }, { probability: "number" });
  if (random !== null) checkTypes("dropout", { random }, { random: ["uint32"] });
  if (!(probability >= 0 && probability < 1)) {
    throw new ConfigError(`dropout: the probability must be in [0, 1): got ${probability}`);
  }
  if (probability === 0 || random === null) return null;
  return { probability, key: [random.uint32(), random.uint32()] };
}
