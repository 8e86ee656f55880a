import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkIds } from "./embedding.ts";
import { rowsOf } from "./internal/product.ts";

/** A target that does not count: its row contributes nothing to the loss and has gradient 0. */
export const IGNORED = -1;

/**
 * Mean cross-entropy between the softmax of logits and target ids, in nats.
 *
 *   loss = 1/n · Σ −log softmax(logits[i])[targets[i]]    over the n targets that are not ignored
 *
 * @param logits  (…, V)
 * @param targets one id in 0 … V−1, or `IGNORED`, for each row of logits
 * @returns       (); 0 if all targets are ignored. Ignored rows do not affect its bits
 * @throws ShapeError if there is not exactly one target per row
 * @throws TokenError if a target is outside the vocabulary
 * @example crossEntropy(logits, [3, IGNORED, 1]) // logits (1, 3, 5) → ()
 */
export function crossEntropy(logits: Tensor, targets: ArrayLike<number>): Tensor {
  const context = contextOf("crossEntropy", logits);
  checkTypes("crossEntropy", { targets }, { targets: "numbers" });
  const columns = logits.shape[logits.shape.length - 1];
  const rows = rowsOf(logits.shape);
  if (logits.shape.length === 0 || targets.length !== rows) {
    throw new ShapeError(
      `crossEntropy: needs one target for each of the ${rows} rows of ${formatShape(logits.shape)}: got ${targets.length}`,
    );
  }
  checkIds("crossEntropy", targets, IGNORED, columns);
  let ignored = 0;
  for (let i = 0; i < rows; i++) ignored += targets[i] === IGNORED ? 1 : 0;
  const counted = rows - ignored;
  const share = counted === 0 ? 0 : 1 / counted;

  const { backend } = context;
  const y = context.output([], [logits]);
  // A copy: the caller may reuse its array before backward runs.
  const kept = Int32Array.from(targets);
  const statistics = { max: backend.alloc(rows), sum: backend.alloc(rows) };
  const sum = (losses: Buffer, count: number) => {
    backend.sumAxis(y.target, losses, { outer: 1, axis: count, inner: 1 }, share);
  };
  /** Adding a 0 for each ignored row instead would regroup the sum, which can change its last bit. */
  const sumOfCounted = (losses: Buffer) => {
    const rowsThatCount = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => targets[row] !== IGNORED,
    );
    context.withScratch(rows, (terms) => {
      backend.gatherRows(terms, losses, rowsThatCount, counted, 1);
      sum(terms, counted);
    });
  };
  context.withScratch(rows, (losses) => {
    backend.crossEntropyRows(losses, statistics, logits.buffer, kept, rows, columns);
    if (ignored === 0) sum(losses, rows);
    else sumOfCounted(losses);
  });
  const backward = (dy: Buffer) => {
    context.withScratch(rows, (dLosses) => {
      backend.fill(dLosses, share);
      backend.binary("multiply", { buffer: dLosses, accumulate: false }, dLosses, dy);
      backend.crossEntropyRowsBackward(
        logits.gradientTarget(),
        dLosses,
        logits.buffer,
        statistics,
        kept,
        rows,
        columns,
      );
    });
  };
  context.recordOp("crossEntropy", y, backward, [statistics.max, statistics.sum]);
  return y;
}
