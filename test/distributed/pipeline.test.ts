import { expect, it } from "vitest";
import { pipeline } from "../../src/distributed/pipeline.ts";

/** The order in which stages begin, where the message of item i arrives after `turns(i)` turns of the event loop. */
async function order(items: number, stages: number, turns: (item: number) => number): Promise<string[]> {
  const begun: string[] = [];
  const arrived = Array.from({ length: items }, () => 0);
  await pipeline(
    Array.from({ length: items }, (_, i) => i),
    Array.from({ length: stages }, (_, stage) => async (item: number) => {
      begun.push(`${stage}:${item}`);
      // An item's stage begins after its message of the stage before has arrived.
      expect(arrived[item]).toBe(stage);
      for (let turn = 0; turn < turns(item); turn++) await new Promise(setImmediate);
      arrived[item] += 1;
    }),
  );
  return begun;
}

it("begins the next item's first stage before it waits for an item's second", async () => {
  expect(await order(3, 2, () => 1)).toEqual(["0:0", "0:1", "1:0", "0:2", "1:1", "1:2"]);
  expect(await order(2, 3, () => 1)).toEqual(["0:0", "0:1", "1:0", "1:1", "2:0", "2:1"]);
  expect(await order(0, 3, () => 1)).toEqual([]);
});

it("has the same order however long messages take, so that ranks cannot get out of step", async () => {
  const expected = await order(7, 3, () => 0);
  expect(await order(7, 3, (item) => (5 * item) % 7)).toEqual(expected);
  expect(await order(7, 3, (item) => 7 - item)).toEqual(expected);
});

it("begins no item before the one that lies a pipeline's length ahead has ended, whose memory it may take", async () => {
  const begun = await order(11, 3, (item) => item % 3);
  for (let item = 3; item < 11; item++)
    expect(begun.indexOf(`0:${item}`)).toBeGreaterThan(begun.indexOf(`2:${item - 3}`));
});

it("fails with the stage that fails", async () => {
  const fails = async (item: number) => {
    if (item === 2) throw new Error("cut");
  };
  await expect(pipeline([0, 1, 2, 3], [fails, () => {}])).rejects.toThrow("cut");
});
