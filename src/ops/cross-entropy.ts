import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { checkIds } from "./embedding.ts";
import { rowsOf } from "./product.ts";

/** A target that does not count: its row adds nothing to the loss and receives no gradient. */
export const IGNORED = -1;

/**
 * Mean cross-entropy between the softmax of logits and target ids, in nats.
 *
 *   loss = 1/n · Σ −log softmax(logits[i])[targets[i]]    over the n targets that are not ignored
 *
 * @param logits  (…, V)
 * @param targets one id for each row of logits, in 0 … V−1, or `IGNORED`
 * @returns       (); 0 when every target is ignored
 * @throws ShapeError when there is not one target for each row
 * @throws TokenError when a target is outside the vocabulary
 */
export function crossEntropy(logits: Tensor, targets: ArrayLike<number>): Tensor {
  const columns = logits.shape[logits.shape.length - 1];
  const rows = rowsOf(logits.shape);
  if (logits.shape.length === 0 || targets.length !== rows) {
    throw new ShapeError(
      `crossEntropy: needs one target for each of the ${rows} rows of ${formatShape(logits.shape)}: got ${targets.length}`,
    );
  }
  checkIds("crossEntropy", targets, IGNORED, columns);
  let counted = 0;
  for (let i = 0; i < rows; i++) counted += targets[i] === IGNORED ? 0 : 1;
  const share = counted === 0 ? 0 : 1 / counted;

  const { context } = logits;
  const { backend } = context;
  const y = context.output([], [logits]);
  const at = context.keep(targets);
  const logSumExp = backend.alloc(rows);
  context.borrow(rows, (losses) => {
    backend.crossEntropyRows(losses, logSumExp, logits.span, at, rows, columns);
    backend.sumAxis(y.sink, losses, { outer: 1, axis: rows, inner: 1 }, share);
  });
  const backward = (dy: typeof y.span) => {
    context.borrow(rows, (dLosses) => {
      const everyRow = { span: dLosses, offset: 0, strides: [1] };
      backend.copy(everyRow, { span: dy, offset: 0, strides: [0] }, [rows], false);
      backend.scale({ span: dLosses, accumulate: false }, dLosses, share);
      backend.crossEntropyRowsBackward(
        logits.gradientSink(),
        dLosses,
        logits.span,
        logSumExp,
        at,
        rows,
        columns,
      );
    });
  };
  context.record("crossEntropy", y, backward, [at, logSumExp]);
  return y;
}
