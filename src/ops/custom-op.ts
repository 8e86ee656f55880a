import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../shape.ts";

/** An op in terms of other ops. */
export interface OpDefinition {
  /** y from the inputs. */
  forward(...inputs: Tensor[]): Tensor;
  /**
   * The gradient of each input, in its shape, from that of y; null for an input that gets none. Not differentiated
   * itself.
   */
  backward(dy: Tensor, y: Tensor, ...inputs: Tensor[]): readonly (Tensor | null)[];
}

/**
 * Runs an op of your own: `forward` and `backward` are written with other ops, and backward is yours to choose.
 *
 * @param name   what errors and the tape call it
 * @param inputs at least one tensor
 * @returns      what `forward` returns
 * @throws ShapeError when a gradient does not have the shape of its input
 * @example
 *   // Rounds down to 0 or 1, and passes the gradient through unchanged.
 *   const step = (x: Tensor) => customOp("step", [x], { forward: threshold, backward: (dy) => [dy] });
 */
export function customOp(name: string, inputs: readonly Tensor[], definition: OpDefinition): Tensor {
  const [first, ...rest] = inputs;
  const context = contextOf(name, first, ...rest);
  const result = context.withoutTape(() => definition.forward(...inputs));
  const y = context.output(result.shape, inputs);
  context.backend.scale(y.target, result.buffer, 1);
  context.recordOp(name, y, (dyBuffer) => {
    const gradients = context.withoutTape(() => {
      const dy = context.output(y.shape, []);
      context.backend.scale(dy.target, dyBuffer, 1);
      return definition.backward(dy, y, ...inputs);
    });
    inputs.forEach((input, i) => {
      const gradient = gradients[i] ?? null;
      if (gradient === null || !input.needsGradient) return;
      if (!sameShape(gradient.shape, input.shape)) {
        throw new ShapeError(
          `${name}: the gradient of input ${i} must be ${formatShape(input.shape)}: got ${formatShape(gradient.shape)}`,
        );
      }
      context.backend.scale(input.gradientTarget(), gradient.buffer, 1);
    });
  });
  return y;
}
