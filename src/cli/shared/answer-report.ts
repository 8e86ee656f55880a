/** How a seq2seq model is evaluated and reported, in `nopeek train` and `nopeek eval`. */
import type { AnswerEvaluation } from "../../evaluate/exact-match.ts";
import { formatCount, formatLoss } from "../../util/format.ts";

/** Number of held-out strings in a final evaluation. */
export const EVALUATED_STRINGS = 500;

/** "validation loss 0.0002 nats, 485 of 485 held-out strings exactly right (3,698 tokens)" */
export function describeAnswers({ lossNats, strings, exact, tokens }: AnswerEvaluation): string {
  return `validation loss ${formatLoss(lossNats)} nats, ${formatCount(exact)} of ${formatCount(strings)} held-out strings exactly right (${formatCount(tokens)} tokens)`;
}
