/**
 * Native kernels for tests, compiled from the sources of this folder, or the library that NOPEEK_NATIVE_LIBRARY names.
 * Tests are skipped where there is no compiler.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildNative } from "../../scripts/build-native.ts";
import { builtIn, digestOfSources, findNativeLibrary } from "../../src/backend/native/find-library.ts";
import type { Vectors } from "../../src/backend/native/library.js";
import { NativeBackend } from "../../src/backend/native/native-backend.ts";
import { startThreads } from "../../src/backend/node-thread.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { BackendError } from "../../src/errors.ts";
import { noKoffi } from "./blas.ts";
import { lastingFolder } from "./temporary-folder.ts";

/** More options of the compiler, such as sanitizers: scripts/sanitize-native.ts. */
const also = (process.env.NOPEEK_NATIVE_FLAGS ?? "").split(" ").filter((word) => word !== "");

/** One folder for each version of the sources, of the script that compiles them and of the options. */
function buildFolder(): URL {
  const script = readFileSync(fileURLToPath(new URL("../../scripts/build-native.ts", import.meta.url)));
  const hash = createHash("sha256").update(digestOfSources()).update(script).update(also.join(" "));
  return pathToFileURL(join(lastingFolder(), `nopeek-native-${hash.digest("hex").slice(0, 16)}/`));
}

async function findOrBuild(): Promise<{ file: string; why: null } | { file: null; why: string }> {
  if (noKoffi) return { file: null, why: "koffi is not installed" };
  const { NOPEEK_NATIVE_LIBRARY: given } = process.env;
  if (given) return { file: given, why: null };
  const folder = buildFolder();
  try {
    return { file: findNativeLibrary([builtIn(folder)]), why: null };
  } catch {
    const { why } = await buildNative(["cc", "gcc", "clang"], folder, also);
    return why === null ? { file: findNativeLibrary([builtIn(folder)]), why } : { file: null, why };
  }
}

const found = await findOrBuild();

/** Why there are no native kernels, or null if there are. */
export const noNative: string | null = found.why;

/** Suffix for the name of a test that is skipped without them. */
export const ifNative = noNative === null ? "" : ` (skipped: ${noNative})`;

/** The path of the library. */
export function nativeLibrary(): string {
  if (found.file === null) throw new BackendError(found.why);
  return found.file;
}

/** The index of the first number with other bits; −1 if there is none. NaN is NaN: its payload may differ. */
export function firstDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  return Array.from(expected).findIndex((number, i) => !Object.is(number, actual[i]));
}

/** @param always whether to compute even those products in C that are faster in WebAssembly */
export async function openNative(
  vectors: Vectors | null,
  threads = 1,
  always = true,
): Promise<NativeBackend> {
  const options = { file: nativeLibrary(), vectors, threads, spawn: startThreads, always };
  return NativeBackend.open(await loadKernels(), options);
}
