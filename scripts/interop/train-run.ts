/** Trains the run of a case. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Random } from "../../src/random.ts";
import { RunDirectory } from "../../src/run/on-disk.ts";
import type { StoredTensor } from "../../src/run/safetensors.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const NOISE = 0.05;

/** Runs nopeek's program. */
export const nopeek = (...words: readonly string[]) => run(process.execPath, [program, ...words]);

/**
 * Moves each bias and norm weight a little. Few steps leave them so near to 0 and 1 that an export without them would
 * pass.
 */
export function disturb(path: string): void {
  const directory = RunDirectory.open(path);
  const { name, model, ...rest } = directory.loadStep();
  const random = Random.of(3, "interop");
  const vectors = [...model].map(([key, tensor]): [string, StoredTensor] => {
    if (tensor.shape.length !== 1) return [key, tensor];
    return [key, { ...tensor, values: tensor.values.map((value) => value + NOISE * random.normal()) }];
  });
  directory.saveStep({ ...rest, model: new Map(vectors), best: true });
}
