import { expect, it } from "vitest";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { runHere, runOnRanks } from "../../src/distributed/jobs.ts";

const NUMBERS = [1e300, -0, Number.NaN, 1 / 3, 5, 6, 7];

it.each([1, 2, 3, 4, 8])(
  "jobs run once, on one of %i ranks, and all get the numbers in order",
  async (size) => {
    const runBy: (readonly [job: number, rank: number])[] = [];
    for (const count of [0, 1, 2, 7]) {
      runBy.length = 0;
      const numbers = NUMBERS.slice(0, count);
      const found = await Promise.all(
        ranksInProcess(size).map((communicator) =>
          runOnRanks(communicator)(
            numbers.map((number, job) => async () => {
              runBy.push([job, communicator.rank]);
              return number;
            }),
          ),
        ),
      );
      for (const each of found) expect(each).toEqual(numbers);
      expect(runBy.sort(([a], [b]) => a - b)).toEqual(numbers.map((_, job) => [job, job % size]));
      expect(await runHere(numbers.map((number) => async () => number))).toEqual(numbers);
    }
  },
);

it("jobs are made one after the other, so that an evaluation need not keep all of its batches", async () => {
  const [only] = ranksInProcess(1);
  for (const run of [runHere, runOnRanks(only)]) {
    let made = 0;
    function* jobs() {
      for (let i = 0; i < 3; i++) {
        made += 1;
        yield async () => made;
      }
    }
    expect(await run(jobs())).toEqual([1, 2, 3]);
  }
});
