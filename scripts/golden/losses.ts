/**
 * The first twenty losses of a small run on the default backend, to the last bit: test/golden/losses.json. They
 * change only if the arithmetic changes. If that is intended, run `npx tsx scripts/golden/losses.ts` and explain it
 * in the commit.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openBackend } from "../../src/backend/open.ts";
import type { Settings } from "../../src/config/settings.ts";
import { goldenRun } from "./run.ts";

export const GOLDEN_LOSSES_PATH = fileURLToPath(new URL("../../test/golden/losses.json", import.meta.url));

/** The losses of the golden run's twenty steps on wasm. */
export async function goldenLosses(attention: Settings["attention"], threads = 1): Promise<number[]> {
  const backend = await openBackend("wasm", threads);
  try {
    return await goldenRun(backend, attention);
  } finally {
    await backend.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const losses = { fused: await goldenLosses("fused"), textbook: await goldenLosses("textbook") };
  writeFileSync(GOLDEN_LOSSES_PATH, `${JSON.stringify(losses, null, 2)}\n`);
}
