/**
 * Proves that memory use does not depend on the size of a text: trains on texts of increasing size and compares the
 * peak memory of the runs. Creates the texts and removes them afterward.
 *
 *   npm run build && npx tsx scripts/prove/large-corpus.ts [--base FILE] [MEGABYTES…]      (default: 4 400 4000)
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CAN_MEASURE, measureProgram, talesText, writeLargeText } from "./large-text.ts";

/** Extra memory allowed for a run on a large text, compared with the smallest text. */
const MAX_EXTRA_BYTES = 32e6;
const TRAINING = [
  "--layers",
  2,
  "--heads",
  2,
  "--d-model",
  32,
  "--context-length",
  32,
  "--batch-size",
  8,
].concat(["--steps", 50, "--eval-interval", 25, "--measure-tokens", 20_000, "--threads", 1]);

const { values, positionals } = parseArgs({
  options: { base: { type: "string" } },
  allowPositionals: true,
});
const sizes = (positionals.length > 0 ? positionals : ["4", "400", "4000"]).map(Number);
if (!CAN_MEASURE) throw new Error("peak memory comes from /proc, which this system does not have");
const base = values.base === undefined ? talesText() : readFileSync(values.base, "utf8");

// Not in the system's temporary folder, which may be in memory.
const folder = mkdtempSync(join(resolve("."), ".large-corpus-"));
try {
  let smallest: number | null = null;
  for (const megabytes of sizes) {
    writeLargeText(join(folder, "text.txt"), megabytes * 1e6, base);
    const train = ["train", "--data", "text.txt", "--out", "run", "--in-memory", 0, ...TRAINING];
    const first = await measureProgram(folder, train);
    const again = await measureProgram(folder, ["train", "--resume", "--out", "run", "--steps", 100]);
    if (first.code !== 0 || again.code !== 0) throw new Error(`${first.stderr}\n${again.stderr}`);
    const seconds = (first.elapsedMs - again.elapsedMs) / 1000;
    // For a small text, start-up dominates the time.
    const speed =
      seconds < 1
        ? ""
        : `; read twice, counted and tokenized in about ${seconds.toFixed(1)} s, ${(megabytes / seconds).toFixed(0)} MB/s`;
    process.stdout.write(
      `${megabytes} MB of text: peak ${(first.peakBytes / 1e6).toFixed(0)} MB, resumed ${(again.peakBytes / 1e6).toFixed(0)} MB${speed}\n`,
    );
    smallest ??= first.peakBytes;
    if (first.peakBytes > smallest + MAX_EXTRA_BYTES)
      throw new Error(`memory grows with the size of the text, by ${first.peakBytes - smallest} bytes`);
    for (const name of ["run", ".nopeek-cache"]) rmSync(join(folder, name), { recursive: true, force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
