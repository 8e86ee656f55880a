/**
 * Proofs that take longer than a test may.
 *
 *   npm run prove [-- KILLS [SEED [STEPS [PROCESS_KILLS [SLURM]]]]]      after npm run build
 *
 * Runs that are killed at a hundred random moments resume, and end with the same bits. So do runs on several processes,
 * of which one gets a signal, where Open MPI or MPICH is installed, and the script of docs/cluster.md under a Slurm that is
 * started here, unless SLURM is 0. And 600 steps of the tales in each installed browser end with the bits of the command
 * line.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MPIS } from "../../test/support/mpi-launchers.ts";
import { proveBrowsers } from "./browser/prove.ts";
import { proveKills } from "./kills.ts";
import { proveProcessKills } from "./process-kills.ts";
import { proveSlurm } from "./slurm/prove.ts";

const [kills = 100, seed = 1337, steps = 600, processKills = 10, slurm = 1] = process.argv
  .slice(2)
  .map(Number);
const folder = mkdtempSync(join(tmpdir(), "nopeek-prove-"));

/** Runs a proof in its own folder, and prints what it returns. */
async function prove(name: string, proof: (folder: string) => Promise<string>): Promise<void> {
  const startMs = performance.now();
  mkdirSync(join(folder, name));
  const sentence = await proof(join(folder, name));
  process.stdout.write(`${((performance.now() - startMs) / 1000).toFixed(0)} s: ${sentence}\n`);
}

try {
  if (kills > 0)
    await prove("kills", async (folder) => {
      const report = await proveKills({ kills, seed, steps: 60, folder });
      return `${report.kills} kills, ${report.midway} during a change on disk, ${report.early} before the first checkpoint; every run resumed, and all ${report.finished} ended with the same bits`;
    });
  if (processKills > 0)
    await prove("processes", async (folder) => {
      const mpis = MPIS.filter(({ skipped }) => !skipped);
      if (mpis.length === 0)
        return "skipped the proof on several processes: neither Open MPI nor MPICH was found";
      const report = await proveProcessKills({ kills: processKills, seed, steps: 24, folder }, mpis);
      const { start, step, evaluation, save } = report.moments;
      return `${report.kills} signals to one of several processes (${start} at the start, ${step} in a step, ${evaluation} in an evaluation, ${save} in a save), ${report.midway} during a change on disk, ${report.early} before the first checkpoint; each job ended in at most ${(report.longestMs / 1000).toFixed(1)} s, and all ${report.finished} runs, resumed on other numbers of processes, ended with the same bits`;
    });
  if (slurm > 0)
    await prove("slurm", async (folder) => {
      const { runs, stops, skipped } = await proveSlurm(folder, seed);
      const without =
        skipped === null
          ? ""
          : `skipped ${runs.length === 0 ? "" : "a part of "}the proof under Slurm: ${skipped}`;
      if (runs.length === 0) return without;
      const script = `the script of docs/cluster.md continued after ${stops.join(", ")}`;
      return `Slurm: ${runs.join(", ")} tasks${stops.length === 0 ? "" : `, and ${script}`}, all to the bits of one process${without && `; ${without}`}`;
    });
  if (steps > 0)
    await prove("browsers", async (folder) => {
      const proven = await proveBrowsers({ steps, folder, timeoutMs: 600_000 });
      if (proven.length === 0) return "skipped the proof in browsers: neither Chromium nor Firefox was found";
      const where = proven.map(({ name, threads }) => `${name} (${threads} threads)`).join(" and ");
      return `${steps} steps of the tales in ${where}: weights and optimizer state have the SHA-256 of the command line`;
    });
} finally {
  // A browser that was ended may still write to its profile.
  rmSync(folder, { recursive: true, maxRetries: 5 });
}
