/** Finds the first op whose result is not finite. */
import type { Context, OpResult } from "../autograd/context.ts";

export interface NonFinite extends Pick<OpResult, "op" | "pass" | "shape"> {
  /** The first such number. */
  readonly value: number;
  /** How many of the result's numbers are not finite. */
  readonly count: number;
  /** How many numbers the result has. */
  readonly size: number;
}

/** Ops that handle masks of −∞: one broadcasts the mask over all heads, the other adds it to the scores. */
const OF_MASKS: readonly string[] = ["broadcastTo", "maskedAdd"];

/** Watches the ops of `body`, forward and backward. Returns null if every number is finite. */
export async function firstNonFinite(context: Context, body: () => void): Promise<NonFinite | null> {
  const found: Promise<NonFinite | null>[] = [];
  context.watch((made) => found.push(judge(made)), body);
  return (await Promise.all(found)).find((each) => each !== null) ?? null;
}

async function judge({ op, pass, shape, values }: OpResult): Promise<NonFinite | null> {
  const numbers = Array.from(await values);
  const mayHide = pass === "forward" && OF_MASKS.includes(op);
  const isWrong = (value: number) =>
    !Number.isFinite(value) && !(mayHide && value === Number.NEGATIVE_INFINITY);
  const wrong = numbers.filter(isWrong);
  return wrong.length === 0
    ? null
    : { op, pass, shape, value: wrong[0], count: wrong.length, size: numbers.length };
}
