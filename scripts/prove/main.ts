/**
 * Proofs that take longer than a test may.
 *
 *   npm run prove [-- KILLS [SEED [STEPS]]]      after npm run build
 *
 * Runs that are killed at a hundred random moments resume, and end with the same bits. And 600 steps of the tales in
 * each installed browser end with the bits of the command line.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proveBrowsers } from "./browser/prove.ts";
import { proveKills } from "./kills.ts";

const [kills = 100, seed = 1337, steps = 600] = process.argv.slice(2).map(Number);
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
