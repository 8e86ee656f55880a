import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError, TokenError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * Looks up rows of a table: y[…] = table[ids[…]].
 *
 * @param table (V, C)
 * @param ids   integers in 0 … V−1, in row-major order of `shape`
 * @param shape the shape of the ids, for example (B, T)
 * @returns     (…shape, C)
 * @throws ShapeError if the ids do not fill the shape, or the table is not a matrix
 * @throws TokenError if an id is outside the table
 * @example embedding(table, [3, 1, 4], [1, 3]) // table (5, 8) → (1, 3, 8)
 */
export function embedding(table: Tensor, ids: ArrayLike<number>, shape: Shape): Tensor {
  const context = contextOf("embedding", table);
  checkShape("embedding", shape);
  checkTypes("embedding", { ids }, { ids: "numbers" });
  const rows = sizeOf(shape);
  if (table.shape.length !== 2 || ids.length !== rows) {
    throw new ShapeError(
      `embedding: needs a table (V, C) and ids that fill ${formatShape(shape)}: got ${formatShape(table.shape)} and ${ids.length} ids`,
    );
  }
  const [entries, columns] = table.shape;
  checkIds("embedding", ids, 0, entries);
  const { backend } = context;
  const y = context.output([...shape, columns], [table]);
  backend.gatherRows(y.buffer, table.buffer, ids, rows, columns);
  // A copy: the caller may reuse its array before backward runs.
  const indices = y.needsGradient ? Int32Array.from(ids) : ids;
  context.recordOp("embedding", y, (dy) => {
    backend.scatterAddRows(table.zeroedGradient(), dy, indices, rows, columns);
  });
  return y;
}

/** @throws TokenError for the first id that is not an integer in lowest … count−1 */
export function checkIds(op: string, ids: ArrayLike<number>, lowest: number, count: number): void {
  for (let i = 0; i < ids.length; i++) {
    if (!Number.isInteger(ids[i]) || ids[i] < lowest || ids[i] >= count) {
      throw new TokenError(
        `${op}: ids must be whole numbers in ${lowest} … ${count - 1}: got ${ids[i]} at ${i}`,
      );
    }
  }
}
