/** With the optimizer's state shared out, the bits are those of one process that keeps all of it. */
import { describe, expect, it } from "vitest";
import { digest, type Report, type Saved, STEPS, type Trained, train, trainAll } from "./train-ranks.ts";

describe.each([
  ["AdamW, dropout", { model: "seq2seq", dropout: 0.2 }],
  [
    "Muon, dropout, epochs, averages",
    { model: "gpt", optimizer: "muon", dropout: 0.2, windows: "epochs", averageSteps: 3 },
  ],
] as const)("%s, with a shared optimizer", (_, changes) => {
  const sharded = { ...changes, shardOptimizer: true };
  const alone = train(0, changes).then(digest);

  it("has the bits of one process, on 1, 2 and 4 ranks", async () => {
    for (const ranks of [1, 2, 4])
      expect(digest(await train(ranks, sharded)), `${ranks} ranks`).toBe(await alone);
  });

  it("continues with and without, on another number of ranks", async () => {
    let saved: Saved | null = null;
    const reports: Report[] = [];
    for (const [ranks, how, end] of [
      [4, sharded, 2],
      [2, sharded, 4],
      [0, changes, 5],
      [2, sharded, 6],
      [4, changes, STEPS],
    ] as const) {
      const trained = await train(ranks, how, end, saved);
      saved = trained.saved;
      reports.push(...trained.reports);
      if (end === STEPS) expect(digest({ saved, reports })).toBe(await alone);
    }
  });
});

/** How many numbers of the state a rank has at the end. */
const count = ({ saved }: Trained) =>
  [...saved.optimizer.values()].reduce((sum, { values }) => sum + values.length, 0);

it("each rank keeps a share of the state", async () => {
  const [first, ...others] = await trainAll(4, { shardOptimizer: true }, 1);
  for (const other of others) expect(count(other) / count(first)).toBeCloseTo(0.25, 1);
  const names = others.flatMap(({ saved }) => [...saved.optimizer.keys()]);
  expect(new Set(names).size).toBe(names.length);
});

describe("without the setting, the state", () => {
  it.each([
    ["of Muon is shared out", 2, { optimizer: "muon" }, 0.5],
    ["of AdamW is not", 2, {}, 1],
    ["of Muon is not among ranks of which some would get nothing", 32, { optimizer: "muon" }, 1],
  ] as const)("%s", async (_, ranks, optimizer, share) => {
    const parts = { gradAccumulation: ranks, batchSize: 1 };
    const [first, ...others] = await trainAll(ranks, { ...optimizer, ...parts }, 1);
    for (const other of others) expect(count(other) / count(first)).toBeCloseTo(share, 1);
  });
});

it("ranks that update nothing, because there are more of them than tensors, change no bit", async () => {
  const changes = { gradAccumulation: 32, batchSize: 1 };
  const sharded = { ...changes, shardOptimizer: true };
  expect(digest(await train(32, sharded, 2))).toBe(digest(await train(0, changes, 2)));
});

it("updates that are skipped, and gradients that are clipped, are the same", async () => {
  const changes = { skipSpikes: 1.1, gradClip: 1e-3, steps: 24 };
  const alone = await train(0, changes, 24);
  expect(alone.reports.filter((report) => "skipped" in report && report.skipped)).not.toHaveLength(0);
  expect(digest(await train(2, { ...changes, shardOptimizer: true }, 24))).toBe(digest(alone));
});
