/**
 * Fault injection, longer than a test can be: kills runs at a hundred random moments.
 *
 *   npm run prove [-- KILLS [SEED]]      after npm run build
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proveKills } from "./kills.ts";

const [kills = 100, seed = 1337] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "nopeek-prove-"));
const startMs = performance.now();
try {
  const report = await proveKills({ kills, seed, steps: 60, folder });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  process.stdout.write(
    `${report.kills} kills in ${seconds} s: ${report.midway} during a change on disk, ${report.early} before the first checkpoint; every run resumed, and all ${report.finished} ended with the same bits\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
