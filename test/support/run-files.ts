/** The files of a run directory, for tests that inspect or damage them, or check that they are unchanged. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseLines } from "./program.ts";

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A hash of all names and bytes in a folder. Links to folders are not followed. */
export function fingerprint(path: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }).sort()) {
    hash.update(name);
    const found = statSync(join(path, name), { throwIfNoEntry: false });
    if (found?.isFile()) hash.update(readFileSync(join(path, name)));
  }
  return hash.digest("hex");
}

/** The lines of a run's log. */
export function logOf(run: string): Record<string, unknown>[] {
  return parseLines(readFileSync(join(run, "log.jsonl"), "utf8"));
}

/** The folder of a run's latest checkpoint. */
export function latestStep(run: string): string {
  return join(run, readFileSync(join(run, "latest"), "utf8").trim());
}

/** The state of a checkpoint, without its own hash. */
export interface StateBody {
  step: number;
  files: Record<string, string>;
  state: Record<string, unknown>;
}

/** Replaces the weights in the latest checkpoint of a run, and updates the hashes. */
export function reseal(run: string, bytes: Uint8Array): void {
  writeFileSync(join(latestStep(run), "model.safetensors"), bytes);
  resealState(run, (body) => {
    body.files["model.safetensors"] = sha256(bytes);
  });
}

/** Changes the state in the latest checkpoint of a run, and updates the hash. */
export function resealState(run: string, change: (body: StateBody) => void): void {
  const file = join(latestStep(run), "state.json");
  const { sha256: _, ...body } = JSON.parse(readFileSync(file, "utf8"));
  change(body);
  writeFileSync(file, JSON.stringify({ ...body, sha256: sha256(JSON.stringify(body)) }));
}
