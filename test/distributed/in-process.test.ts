import { describe, expect, it } from "vitest";
import type { Communicator, Numbers } from "../../src/distributed/communicator.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";

/** Runs every rank's program. */
const onAll = <T>(ranks: readonly Communicator[], program: (rank: Communicator) => Promise<T>) =>
  Promise.all(ranks.map(program));

describe("ranks in one process", () => {
  it("exchange blocks: each receives its own of every rank", async () => {
    const received = await onAll(ranksInProcess(3), async (communicator) => {
      const { rank, size } = communicator;
      const mine = Float32Array.from({ length: 2 * size }, (_, i) => 100 * rank + i);
      const theirs = new Float32Array(mine.length);
      await communicator.exchange(mine, theirs);
      // The sender may change its numbers as soon as its call returns.
      mine.fill(-1);
      return theirs;
    });
    expect(received).toEqual([
      Float32Array.of(0, 1, 100, 101, 200, 201),
      Float32Array.of(2, 3, 102, 103, 202, 203),
      Float32Array.of(4, 5, 104, 105, 204, 205),
    ]);
  });

  it("gather blocks in the order of the ranks, call after call", async () => {
    const gathered = await onAll(ranksInProcess(4), async (communicator) => {
      const rounds: Numbers[] = [];
      for (let round = 0; round < 3; round++) {
        const all = new Float64Array(4);
        await communicator.gather(Float64Array.of(10 * round + communicator.rank), all);
        rounds.push(all);
      }
      return rounds;
    });
    for (const rounds of gathered)
      expect(rounds.map((all) => Array.from(all))).toEqual([
        [0, 1, 2, 3],
        [10, 11, 12, 13],
        [20, 21, 22, 23],
      ]);
  });

  it("may make calls before earlier ones have ended", async () => {
    const gathered = await onAll(ranksInProcess(2), async (communicator) => {
      const rounds = [1, 2, 3].map(() => new Float64Array(2));
      const calls = rounds.map((all, round) =>
        communicator.gather(Float64Array.of(10 * round + communicator.rank), all),
      );
      // The last ends last.
      await calls[2];
      return rounds.map((all) => Array.from(all));
    });
    for (const rounds of gathered)
      expect(rounds).toEqual([
        [0, 1],
        [10, 11],
        [20, 21],
      ]);
  });

  it("broadcast what rank 0 has", async () => {
    const all = await onAll(ranksInProcess(2), async (communicator) => {
      const bytes = Uint8Array.of(communicator.rank + 7);
      await communicator.broadcast(bytes);
      return bytes[0];
    });
    expect(all).toEqual([7, 7]);
  });

  it("all fail when one aborts, those that wait and those that come later", async () => {
    const [first, second, third] = ranksInProcess(3);
    const waiting = first.broadcast(Uint8Array.of(1));
    third.abort(3);
    await expect(waiting).rejects.toThrow("exit code 3");
    await expect(second.broadcast(Uint8Array.of(1))).rejects.toThrow("exit code 3");
  });
});
