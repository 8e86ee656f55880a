/** Computes with an item, then may start a message. The item's next stage begins when the message has arrived. */
export type Stage<T> = (item: T) => Promise<void> | void;

/**
 * Runs the stages of each item in turn, those of different items at the same time: while a message of one item is under
 * way, others are started or computed with. Stages begin in an order that does not depend on when messages arrive, so it
 * is the same on every rank.
 *
 *   time →
 *   stage 0   0   1   2   3
 *   stage 1       0   1   2   3
 *   stage 2           0   1   2   3
 *
 * An item's first stage begins after the last stage of the item that is `stages.length` before it.
 *
 * @example await pipeline([0, 1, 2], [send, receive]) // send(0), send(1), receive(0), send(2), receive(1), receive(2)
 */
export async function pipeline<T>(items: readonly T[], stages: readonly Stage<T>[]): Promise<void> {
  const messages: (Promise<void> | void)[] = [];
  for (let time = 0; time < items.length + stages.length - 1; time++)
    for (const [i, stage] of stages.entries()) {
      const item = time - i;
      if (item < 0 || item >= items.length) continue;
      await messages[item];
      messages[item] = stage(items[item]);
    }
}
