/** What docs/cluster.md computes and shows: the table of costs, from what is sent, and the Slurm script. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exchangeTable, speedupTable } from "../../scripts/bench/cluster/tables.ts";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { sumAcrossRanks } from "../../src/distributed/sum-across-ranks.ts";
import { readPage } from "../support/pages.ts";
import { makeFolder } from "../support/program.ts";

const page = readPage("docs/cluster.md");

/** Bytes that one of several processes sends to others for each parameter of a step. */
async function bytesSent(ranks: number): Promise<number> {
  const { backend } = new Context(await openBackend("wasm", 1));
  const parameters = 64 * 60;
  let bytes = 0;
  const counting = (communicator: Communicator): Communicator => ({
    rank: communicator.rank,
    size: ranks,
    exchange: (mine, theirs) => {
      bytes += (mine.byteLength / ranks) * (ranks - 1);
      return communicator.exchange(mine, theirs);
    },
    gather: (mine, all) => {
      bytes += mine.byteLength * (ranks - 1);
      return communicator.gather(mine, all);
    },
    broadcast: (numbers) => communicator.broadcast(numbers),
    abort: (code) => communicator.abort(code),
    close: () => communicator.close(),
  });
  await Promise.all(
    ranksInProcess(ranks).map((each) =>
      sumAcrossRanks(counting(each), backend, [backend.alloc(parameters)], 64 * 25),
    ),
  );
  await backend.close();
  return bytes / ranks / parameters;
}

it("the tables of costs are those of the model, for the bytes that a process sends", async () => {
  for (const table of [exchangeTable(), speedupTable()]) expect(page).toContain(`\n\n${table}\n\n`);
  for (const ranks of [2, 4, 8, 64])
    expect(await bytesSent(ranks), `${ranks} processes`).toBeCloseTo((8 * (ranks - 1)) / ranks, 9);
});

it.skipIf(process.platform === "win32")(
  "the Slurm script starts a run, then resumes it, until it is done or makes no progress",
  () => {
    const [script] = [...page.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code);
    const folder = makeFolder();
    writeFileSync(join(folder, "job.sh"), script);
    const recording = '#!/bin/bash\necho "$(basename "$0") $*" >> calls.txt\n';
    const saving = 'mkdir -p checkpoints/novel\necho "$SAVED" > checkpoints/novel/latest\nexit $CODE\n';
    writeFileSync(join(folder, "srun"), recording + saving, { mode: 0o755 });
    writeFileSync(join(folder, "scontrol"), recording, { mode: 0o755 });
    const submit = (code: number, saved: string) => {
      const slurm = { SLURM_JOB_ID: "7", SLURM_CPUS_PER_TASK: "3" };
      const env = { PATH: `${folder}:${process.env.PATH}`, ...slurm, CODE: String(code), SAVED: saved };
      writeFileSync(join(folder, "calls.txt"), "");
      const { status } = spawnSync("bash", ["job.sh"], { cwd: folder, env });
      return { status, calls: readFileSync(join(folder, "calls.txt"), "utf8").trim().split("\n") };
    };
    const start = submit(138, "step-000001").calls;
    expect(start[0]).toMatch(
      /^srun .*--cpus-per-task=3 .*nopeek train --data novel.txt .*--out checkpoints\/novel$/,
    );
    expect(start[1]).toBe("scontrol requeue 7");
    writeFileSync(join(folder, "checkpoints/novel/config.json"), "{}");
    expect(submit(143, "step-000002")).toEqual({
      status: 0,
      calls: [
        expect.stringMatching(/^srun .*nopeek train --resume --out checkpoints\/novel$/),
        "scontrol requeue 7",
      ],
    });
    // A task that fails at once ends the others with 143.
    expect(submit(143, "step-000002")).toMatchObject({ status: 143, calls: { length: 1 } });
    for (const code of [0, 1, 137])
      expect(submit(code, "step-000003")).toMatchObject({ status: code, calls: { length: 1 } });
  },
);
