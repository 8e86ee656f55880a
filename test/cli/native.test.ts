/**
 * Training with `--backend native` writes the files of wasm, byte for byte, except for the times in the log.
 * test/backend/native/trainings.test.ts compares many more models.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findNativeLibrary } from "../../src/backend/native/find-library.ts";
import { noKoffi } from "../support/blas.ts";
import { makeFolderWithText, succeed } from "../support/program.ts";

function whyNone(): string | null {
  if (noKoffi) return "koffi is not installed";
  try {
    findNativeLibrary();
    return null;
  } catch (error) {
    return String(error);
  }
}

const none = whyNone();
const { folder } = makeFolderWithText(400);
const size = ["--layers", 2, "--heads", 2, "--d-model", 32, "--batch-size", 4];
const often = ["--steps", 8, "--eval-interval", 4, "--checkpoint-interval", 4, "--eval-batches", 2];

/** SHA-256 of every file of a run, without the times. */
function digests(run: string): Record<string, string> {
  const files = readdirSync(join(folder, run), { recursive: true, withFileTypes: true });
  const all = files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    all.sort().map((path) => {
      const bytes = readFileSync(path);
      const kept = path.endsWith(".jsonl") ? bytes.toString().replace(/"elapsedMs":[\d.]+/g, "") : bytes;
      return [path.slice(join(folder, run).length), createHash("sha256").update(kept).digest("hex")];
    }),
  );
}

let runs = 0;
async function train(words: readonly (string | number)[]): Promise<{ said: string; files: object }> {
  const out = `run-${runs++}`;
  const { stderr } = await succeed(folder, "train", ...words, ...size, ...often, "--out", out);
  return { said: stderr, files: digests(out) };
}

afterEach(() => {
  delete process.env.NOPEEK_VECTORS;
});

describe.skipIf(none !== null)(`native training${none === null ? "" : ` (skipped: ${none})`}`, () => {
  it("writes the files of wasm", async () => {
    const words = ["--data", "text.txt", "--context-length", 32, "--dropout", 0.2];
    const wasm = await train([...words, "--backend", "wasm", "--threads", 1]);
    expect(Object.keys(wasm.files).length).toBeGreaterThan(4);
    expect(wasm.said).toMatch(/ on wasm$/m);
    process.env.NOPEEK_VECTORS = "avx2";
    const native = await train([...words, "--threads", 2, "--backend", "native"]);
    expect(native.said).toMatch(/ on native$/m);
    expect(native.files).toEqual(wasm.files);
  });
});
