import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer } from "../backend/backend.ts";
import { checkTargets, meanOfCounted } from "./internal/targets.ts";

export { IGNORED } from "./internal/targets.ts";

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
  const { backend } = context;
  const { ids, rows, columns, share } = checkTargets("crossEntropy", logits.shape, targets);
  const y = context.output([], [logits]);
  const statistics = { max: backend.alloc(rows), sum: backend.alloc(rows) };
  context.withScratch(rows, (losses) => {
    backend.crossEntropyRows(losses, statistics, logits.buffer, ids, rows, columns);
    meanOfCounted(y, losses, { ids, share });
  });
  const backward = (dy: Buffer) => {
    context.withScratch(rows, (dLosses) => {
      backend.fill(dLosses, share);
      backend.binary("multiply", { buffer: dLosses, accumulate: false }, dLosses, dy);
      const dLogits = logits.gradientTarget();
      backend.crossEntropyRowsBackward(dLogits, dLosses, logits.buffer, statistics, ids, rows, columns);
    });
  };
  context.recordOp("crossEntropy", y, backward, [statistics.max, statistics.sum]);
  return y;
}
