import type { Tensor } from "../autograd/tensor.ts";
import type { Dropping } from "../backend/backend.ts";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";

/**
 * Zeroes elements at random and divides the others by 1 − probability, so that the expectation stays the same.
 *
 * @param x           any shape
 * @param probability in [0, 1); 0 is x itself
 * @param random      gives the key from which every element's fate follows; null does not drop (outside training)
 * @returns           the shape of x
 * @throws ConfigError when the probability is outside [0, 1)
 * Source: Srivastava et al. 2014.
 */
export function dropout(x: Tensor, probability: number, random: Random | null): Tensor {
  const dropping = droppingOf(probability, random);
  if (dropping === null) return x;
  const { context } = x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.dropout(y.target, x.buffer, dropping);
  context.recordOp("dropout", y, (dy) => backend.dropout(x.gradientTarget(), dy, dropping));
  return y;
}

/** What the kernels need to drop elements, or null where nothing is dropped. */
export function droppingOf(probability: number, random: Random | null): Dropping | null {
  if (!(probability >= 0 && probability < 1)) {
    throw new ConfigError(`dropout: the probability must be in [0, 1): got ${probability}`);
  }
  if (probability === 0 || random === null) return null;
  return { probability, key: [random.uint32(), random.uint32()] };
}
