import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";

/** A custom op, written with other ops. */
export interface OpDefinition {
  /** Computes y from the inputs. */
  forward(...inputs: Tensor[]): Tensor;
  /**
   * The gradient of each input, in its shape, given that of y; null for an input that gets none. Cannot itself be
   * differentiated.
   */
  backward(dy: Tensor, y: Tensor, ...inputs: Tensor[]): readonly (Tensor | null)[];
}

/**
 * Runs an op whose forward and backward passes you write with other ops.
 *
 * @param name   for error messages and the tape
 * @param inputs at least one tensor
 * @returns      the result of `forward`
 * @throws ShapeError if a gradient does not have the shape of its input
 * @example
 *   // ReLU forward, but the gradient passes through unchanged.
 *   customOp("straightThrough", [x], { forward: (x) => relu(x), backward: (dy) => [dy] }) // [-1, 2] → [0, 2]
 */
export function customOp(name: string, inputs: readonly Tensor[], definition: OpDefinition): Tensor {
  checkTypes(
    "customOp",
    { name, inputs, definition },
    { name: "string", inputs: "array", definition: ["forward", "backward"] },
  );
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
