/** The targets of a cross-entropy, and the mean over those that count. */
import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape, type Shape } from "../../shape.ts";
import { checkTypes } from "../../util/check-types.ts";
import { checkIds } from "../embedding.ts";
import { rowsOf } from "./product.ts";

/** A target that does not count: its row contributes nothing to the loss and has gradient 0. */
export const IGNORED = -1;

export interface Targets {
  /** One for each row of logits. A copy: the caller may reuse its array before backward runs. */
  readonly ids: Int32Array;
  readonly rows: number;
  /** The number of classes. */
  readonly columns: number;
  /** 1 / the number of targets that count; 0 if none does. */
  readonly share: number;
}

/**
 * @param shape the shape of the logits: (…, V)
 * @throws ShapeError if there is not exactly one target per row
 * @throws TokenError if a target is outside the vocabulary
 */
export function checkTargets(op: string, shape: Shape, targets: ArrayLike<number>): Targets {
  checkTypes(op, { targets }, { targets: "numbers" });
  const columns = shape[shape.length - 1];
  const rows = rowsOf(shape);
  if (shape.length === 0 || targets.length !== rows) {
    throw new ShapeError(
      `${op}: needs one target for each of the ${rows} rows of ${formatShape(shape)}: got ${targets.length}`,
    );
  }
  checkIds(op, targets, IGNORED, columns);
  const ids = new Int32Array(targets);
  const counted = ids.reduce((count, id) => count + (id === IGNORED ? 0 : 1), 0);
  return { ids, rows, columns, share: counted === 0 ? 0 : 1 / counted };
}

/** y = share · Σ losses of the rows that count. */
export function meanOfCounted(
  y: Tensor,
  losses: Buffer,
  { ids, share }: Pick<Targets, "ids" | "share">,
): void {
  const { context } = y;
  const { backend } = context;
  const sum = (terms: Buffer, count: number) =>
    backend.sumAxis(y.target, terms, { outer: 1, axis: count, inner: 1 }, share);
  if (!ids.includes(IGNORED)) sum(losses, ids.length);
  else {
    const counted = Array.from(ids.keys()).filter((row) => ids[row] !== IGNORED);
    // Adding a 0 for each ignored row instead would regroup the sum, which can change its last bit.
    context.withScratch(ids.length, (terms) => {
      backend.gatherRows(terms, losses, counted, counted.length, 1);
      sum(terms, counted.length);
    });
  }
}
