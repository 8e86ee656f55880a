import { type Context, contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer, Matrices } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import { matrixOf, rowsOf, transposed } from "./internal/product.ts";

const NO_BATCH: readonly number[] = [];

/** How a weight is stored: "in-out", as the textbook's x·W has it, or its transpose. */
export type WeightLayout = "in-out" | "out-in";

/**
 * Affine map of the last axis: y = x·W + b.
 *
 * @param x      (…, I)
 * @param weight (I, O); (O, I) in the layout "out-in", which a head that is tied to an embedding uses
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout = "in-out",
): Tensor {
  const map = new AffineMap("linear", x, weight, bias, layout);
  const y = map.context.output(map.shape, map.inputs);
  map.forward(y.buffer);
  map.context.recordOp("linear", y, (dy) => map.backward(dy));
  return y;
}

/** An affine map before it runs: for ops that do more with its result than keep it. */
export class AffineMap {
  readonly context: Context;
  /** Of the result: (…, O). */
  readonly shape: Shape;
  readonly inputs: readonly Tensor[];
  readonly #x: Tensor;
  readonly #weight: Tensor;
  readonly #bias: Tensor | null;
  readonly #layout: WeightLayout;
  readonly #rows: number;
  readonly #length: number;
  readonly #outputs: number;

  /** Parameters and errors as in `linear`. */
  constructor(op: string, x: Tensor, weight: Tensor, bias: Tensor | null, layout: WeightLayout = "in-out") {
    this.inputs = bias === null ? [x, weight] : [x, weight, bias];
    this.context = contextOf(op, x, weight, bias ?? x);
    const axes = x.shape.length;
    const [length, outputs] = layout === "in-out" ? weight.shape : [weight.shape[1], weight.shape[0]];
    const fits = weight.shape.length === 2 && axes > 0 && x.shape[axes - 1] === length;
    if (!fits || (bias !== null && bias.size !== outputs)) {
      const found = this.inputs.map(({ shape }) => formatShape(shape)).join(", ");
      throw new ShapeError(
        `${op}: needs x (…, I), a weight ${layout} of I and O, and a bias (O): got ${found}`,
      );
    }
    const shape = x.shape.slice();
    shape[axes - 1] = outputs;
    this.shape = shape;
    this.#x = x;
    this.#weight = weight;
    this.#bias = bias;
    this.#layout = layout;
    this.#rows = rowsOf(x.shape);
    this.#length = length;
    this.#outputs = outputs;
  }

  /** y = x·W + b. */
  forward(y: Buffer): void {
    const [rows, length, outputs] = [this.#rows, this.#length, this.#outputs];
    const bias = this.#bias === null ? null : this.#bias.buffer;
    const size = { batch: NO_BATCH, rows, columns: outputs, inner: length, accumulate: false, bias };
    const { backend } = this.context;
    backend.gemm(
      matrixOf(y, outputs),
      matrixOf(this.#x.buffer, length),
      this.#asInOut(this.#weight.buffer),
      size,
    );
  }

  /** Carries dy to the gradients of x, W and b. */
  backward(dyBuffer: Buffer): void {
    const [x, weight, bias] = [this.#x, this.#weight, this.#bias];
    const [rows, length, outputs] = [this.#rows, this.#length, this.#outputs];
    const { backend } = this.context;
    const dy = matrixOf(dyBuffer, outputs);
    if (x.needsGradient) {
      // dx = dy·Wᵀ
      const { buffer, accumulate } = x.gradientTarget();
      const size = { batch: NO_BATCH, rows, columns: length, inner: outputs, accumulate, bias: null };
      backend.gemm(matrixOf(buffer, length), dy, transposed(this.#asInOut(weight.buffer)), size);
    }
    if (weight.needsGradient) {
      // dW = xᵀ·dy
      const { buffer, accumulate } = weight.gradientTarget();
      const size = { batch: NO_BATCH, rows: length, columns: outputs, inner: rows, accumulate, bias: null };
      backend.gemm(this.#asInOut(buffer), transposed(matrixOf(x.buffer, length)), dy, size);
    }
    if (bias?.needsGradient) {
      // db = Σ_rows dy
      backend.sumAxis(bias.gradientTarget(), dyBuffer, { outer: 1, axis: rows, inner: outputs }, 1);
    }
  }

  /** Memory laid out as the weight is stored, read as (I, O). */
  #asInOut(buffer: Buffer): Matrices {
    return this.#layout === "in-out"
      ? matrixOf(buffer, this.#outputs)
      : transposed(matrixOf(buffer, this.#length));
  }
}
