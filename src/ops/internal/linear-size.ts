import { contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer, Matrices } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape, type Shape } from "../../shape.ts";
import { checkChoice } from "../../util/check-types.ts";
import { matrixOf, rowsOf, transposed } from "./product.ts";

/** How a weight is stored: "in-out" (I, O), as in the textbook's x·W, or its transpose "out-in" (O, I). */
export type WeightLayout = "in-out" | "out-in";

/** The sizes of y = x·W + b. */
export interface LinearSize {
  /** The shape of y: (…, O). */
  readonly shape: Shape;
  /** Rows of x, its leading axes taken together. */
  readonly rows: number;
  /** I */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  readonly layout: WeightLayout;
}

/**
 * Checks the operands of `linear` and of ops built on it.
 *
 * @param op the name in errors
 * @throws ShapeError if the sizes do not fit
 */
export function linearSize(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout,
): LinearSize {
  contextOf(op, x, weight, bias === null ? x : bias);
  checkChoice("layout", layout, ["in-out", "out-in"]);
  const [first, second] = weight.shape;
  const [inputs, outputs] = layout === "in-out" ? [first, second] : [second, first];
  const fits = weight.shape.length === 2 && x.shape.length > 0 && x.shape[x.shape.length - 1] === inputs;
  if (!fits || (bias !== null && bias.size !== outputs)) {
    const found = [x, weight, bias].flatMap((tensor) => (tensor === null ? [] : formatShape(tensor.shape)));
    throw new ShapeError(
      `${op}: needs x (…, I), a weight ${layout} ${layout === "in-out" ? "(I, O)" : "(O, I)"}, and a bias (O): got ${found.join(", ")}`,
    );
  }
  const shape = x.shape.slice();
  shape[shape.length - 1] = outputs;
  return { shape, rows: rowsOf(x.shape), inputs, outputs, layout };
}

/** A weight, or its gradient, as the matrix (I, O) in either layout. */
export function weightMatrix(buffer: Buffer, { inputs, outputs, layout }: LinearSize): Matrices {
  return layout === "in-out" ? matrixOf(buffer, outputs) : transposed(matrixOf(buffer, inputs));
}
