import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Matrices, WriteTarget } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { broadcastShapes, formatShape, type Shape } from "../shape.ts";
import { broadcastTo } from "./internal/broadcast.ts";
import { matricesOf, rowsOf, transposed } from "./internal/product.ts";

/**
 * Matrix product of the last two axes, y = a·b. The axes before them are a batch, and broadcast.
 *
 * @param a (…, M, K)
 * @param b (…, K, N)
 * @returns (…, M, N)
 * @throws ShapeError if an operand has fewer than two axes, K differs, or the batches do not broadcast
 * @example matmul(a, b) // a (4, 2, 3), b (3, 5) → (4, 2, 5)
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  contextOf("matmul", a, b);
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2)) {
    throw new ShapeError(
      `matmul: needs (…, M, K) and (…, K, N): got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (b.shape.length === 2) {
    // All matrices of the batch share b, so the batch is just more rows of a.
    const flat = product(a.view([rowsOf(a.shape), a.shape[a.shape.length - 1]]), b);
    return flat.view([...a.shape.slice(0, -1), b.shape[1]]);
  }
  return product(
    broadcastTo(a, [...batch, ...a.shape.slice(-2)]),
    broadcastTo(b, [...batch, ...b.shape.slice(-2)]),
  );
}

/** y = a·b, for operands with equal batch axes. */
function product(a: Tensor, b: Tensor): Tensor {
  const { context } = a;
  const { backend } = context;
  const batch = a.shape.slice(0, -2);
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape[b.shape.length - 1];
  const y = context.output([...batch, rows, columns], [a, b]);
  const run = (to: WriteTarget, toShape: Shape, left: Matrices, right: Matrices, length: number) => {
    const [m, n] = toShape.slice(-2);
    const size = { batch, rows: m, columns: n, inner: length, accumulate: to.accumulate, bias: null };
    backend.gemm(matricesOf(to.buffer, toShape), left, right, size);
  };
  run(y.target, y.shape, matricesOf(a.buffer, a.shape), matricesOf(b.buffer, b.shape), inner);
  context.recordOp("matmul", y, (dyBuffer) => {
    const dy = matricesOf(dyBuffer, y.shape);
    // da = dy·bᵀ, db = aᵀ·dy.
    if (a.needsGradient)
      run(a.gradientTarget(), a.shape, dy, transposed(matricesOf(b.buffer, b.shape)), columns);
    if (b.needsGradient)
      run(b.gradientTarget(), b.shape, transposed(matricesOf(a.buffer, a.shape)), dy, rows);
  });
  return y;
}
