import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { Random } from "../random.ts";
import { stridesOf } from "../shape.ts";

/**
 * body(x), of which only x and the result are kept for backward, which runs `body` again. It saves the memory of all that
 * `body` makes on the way, and costs its time once more. Same bits: dropout drops the same elements again.
 *
 * Source: Chen et al. 2016.
 *
 * @param x      a tensor that the result depends on
 * @param random what `body` draws dropout keys from; null outside training
 * @param body   must compute the same each time
 * @example recompute(x, random, (random) => block.forward(x, { ...options, random }))
 */
export function recompute(x: Tensor, random: Random | null, body: (random: Random | null) => Tensor): Tensor {
  const context = contextOf("recompute", x);
  if (!x.needsGradient) return body(random);
  const start = random?.state();
  const { result, temporaries } = context.withoutTape(() => {
    const temporaries = context.temporaries();
    return { result: body(random), temporaries };
  });
  const y = context.output(result.shape, [x]);
  const whole = (tensor: Tensor) => ({ buffer: tensor.buffer, offset: 0, strides: stridesOf(tensor.shape) });
  context.backend.copy(whole(y), whole(result), y.shape, false);
  temporaries.freeAllBut(y);
  context.recordOp("recompute", y, () => {
    context.backwardThrough(() => body(start === undefined ? null : Random.from(start)), y);
  });
  return y;
}
