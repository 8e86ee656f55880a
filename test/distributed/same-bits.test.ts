/** Training on 1, 2 and 4 ranks has the same bits: weights, optimizer state, losses, norms, evaluations. */
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { DataParallel, JobsGivenUp, RunEnded } from "../../src/distributed/data-parallel.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { Random } from "../../src/random.ts";
import { CASES, digest, STEPS, train } from "./train-ranks.ts";

describe.each(CASES)("%s", (_, changes) => {
  it("has the same bits on 1, 2 and 4 ranks, and on one process without a communicator", async () => {
    const alone = digest(await train(0, changes));
    for (const ranks of [1, 2, 4]) expect(digest(await train(ranks, changes)), `${ranks} ranks`).toBe(alone);
    expect(digest(await train(2, { ...changes, seed: 2 }))).not.toBe(alone);
  });

  it("continues with another number of ranks, after a random step", async () => {
    const whole = await train(4, changes);
    const random = Random.of(5, "stops", JSON.stringify(changes));
    for (const [first, second] of [
      [4, 2],
      [2, 0],
      [1, 4],
    ] as const) {
      const step = 1 + random.below(STEPS - 1);
      const begun = await train(first, changes, step);
      const { saved, reports } = await train(second, changes, STEPS, begun.saved);
      expect(digest({ saved, reports: [...begun.reports, ...reports] }), `stopped after ${step}`).toBe(
        digest(whole),
      );
    }
  });
});

it("several parts to a rank have the same bits too", async () => {
  const changes = { gradAccumulation: 8, dropout: 0.1 };
  const alone = digest(await train(0, changes));
  for (const ranks of [2, 8]) expect(digest(await train(ranks, changes)), `${ranks} ranks`).toBe(alone);
  const twelve = { gradAccumulation: 12 };
  expect(digest(await train(3, twelve))).toBe(digest(await train(0, twelve)));
});

describe("processes that cannot share the parts of a step", () => {
  it.each([
    [4, 1, "`gradAccumulation` can be 4, 8, 16, 32, …; it can stay 1 with 1 process"],
    [4, 1, "with 1 process. A step reads `batchSize` × `gradAccumulation` rows"],
    [2, 1, "To keep the 6 rows of a step, use `gradAccumulation` 2 and `batchSize` 3"],
    [3, 4, "To keep the 24 rows of a step, use `gradAccumulation` 6 and `batchSize` 4"],
    [4, 6, "To keep the 36 rows of a step, use `gradAccumulation` 4 and `batchSize` 9"],
    [4, 6, "it can stay 6 with 1 or 3 process"],
    [2, 6, "2 processes cannot share the 6 parts of a step"],
    [8, 4, "it can stay 4 with 1 or 2 or 4 processes"],
  ])("%i for %i parts: are refused with the numbers that fit", (ranks, parts, words) => {
    const [first] = ranksInProcess(ranks);
    expect(() => new DataParallel(first, parts, 6)).toThrow(words);
  });
});

describe("the end of a run on several ranks", () => {
  const two = () => ranksInProcess(2).map((communicator) => new DataParallel(communicator, 2, 1));
  const jobs = (numbers: readonly number[]) => numbers.map((number) => async () => number);

  it("reaches a rank that is in its next step", async () => {
    const [first, second] = two();
    const step = second.share([1], []);
    await first.end();
    await expect(step).rejects.toThrow(RunEnded);
  });

  it("reaches a rank that shares jobs, or waits for a number", async () => {
    for (const waits of [
      (ranks: DataParallel) => ranks.runJobs(jobs([1, 2, 3])),
      (ranks: DataParallel) => ranks.numberOfFirst(),
    ]) {
      const [first, second] = two();
      const waiting = waits(second);
      await first.end();
      await expect(waiting).rejects.toThrow(RunEnded);
    }
  });

  it("comes after what rank 0 asks for", async () => {
    const [first, second] = two();
    const answers: string[] = [];
    second.answer("collectState", async () => answers.push("state"));
    const waiting = second.numberOfFirst();
    await first.ask("collectState");
    await first.ask("collectState");
    await first.end();
    await expect(waiting).rejects.toThrow(RunEnded);
    expect(answers).toEqual(["state", "state"]);
  });

  it("gives up the jobs of all ranks, if it is asked for meanwhile", async () => {
    const [first, second] = two();
    let done = 0;
    const stoppingJobs = [0, 1, 2, 3, 4, 5].map((i) => async () => {
      if (i === 1) second.requestStop();
      done += 1;
      return i;
    });
    const runs = await Promise.allSettled([first, second].map((ranks) => ranks.runJobs(stoppingJobs)));
    for (const run of runs) expect(run.status === "rejected" && run.reason).toBeInstanceOf(JobsGivenUp);
    expect(done, "three of the first rank, one of the second").toBe(4);
    expect([first.stopRequested, second.stopRequested]).toEqual([true, true]);
  });

  it("is an error if the ranks share different jobs", async () => {
    const [first, second] = two();
    const runs = [first.runJobs(jobs([1, 2, 3])), second.runJobs(jobs([1, 2]))];
    for (const result of await Promise.allSettled(runs))
      expect(String(result.status === "rejected" && result.reason)).toContain(
        "numbers of jobs to share: 3, 2",
      );
  });

  it("is an error if the ranks train different models", async () => {
    const context = new Context(await openBackend("wasm", 1));
    const parameters = [context.parameter([1], [1])];
    parameters[0].zeroedGradient();
    const [first, second] = two();
    const steps = [first.share([1], parameters), second.share([1], [])];
    for (const result of await Promise.allSettled(steps))
      expect(String(result.status === "rejected" && result.reason)).toContain("they train different models");
  });

  it("is asked for on any rank, and heard on all after the same step", async () => {
    const context = new Context(await openBackend("wasm", 1));
    const parameters = [context.parameter([1], [1])];
    const [first, second] = two();
    const step = () => Promise.all([first, second].map((ranks) => ranks.share([0.5], parameters)));
    expect(await step()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect([first.stopRequested, second.stopRequested]).toEqual([false, false]);
    second.requestStop();
    expect([first.stopRequested, second.stopRequested]).toEqual([false, false]);
    await step();
    expect([first.stopRequested, second.stopRequested]).toEqual([true, true]);
  });
});
