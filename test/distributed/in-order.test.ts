import { expect, it } from "vitest";
import { InOrder } from "../../src/distributed/in-order.ts";

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

it("calls end in the order in which they were made", async () => {
  const calls = new InOrder();
  const ended: number[] = [];
  const all = [5, 0, 2].map((count, i) =>
    calls.add(async () => {
      await turns(count);
      ended.push(i);
    }),
  );
  await Promise.all(all);
  expect(ended).toEqual([0, 1, 2]);
});

it("calls after one that has failed fail like it, and need not be awaited", async () => {
  const calls = new InOrder();
  const first = calls.add(async () => {
    await turns(1);
    throw new Error("cut");
  });
  let ran = false;
  const later = calls.add(async () => {
    ran = true;
  });
  await expect(first).rejects.toThrow("cut");
  // An unhandled rejection of `later` would end the process in these turns.
  await turns(3);
  await expect(later).rejects.toThrow("cut");
  expect(ran).toBe(false);
});
