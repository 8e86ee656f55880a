/**
 * Finds the library of native kernels that scripts/build-native.ts has built on this machine, and checks that it is
 * whole and belongs to these sources.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BackendError } from "../../errors.ts";

/** What the build script writes beside the library. */
export interface NativeBuild {
  /** SHA-256 of the sources, in hexadecimal: `digestOfSources`. */
  readonly sources: string;
  /** The library and its SHA-256; null if it could not be built. */
  readonly library: { readonly file: string; readonly sha256: string } | null;
  /** Why there is no library; null if there is one. */
  readonly why: string | null;
}

/** The sources are in `src` even if this file runs from `dist`. */
export const KERNELS = new URL("../../../src/backend/native/kernels/", import.meta.url);
export const BUILD = new URL("../../../src/backend/native/build/", import.meta.url);
export const RECORD = "native.json";
const BUILD_IT = 'build it with "npm run build:native"';

/**
 * @param build the folder of the library
 * @returns the path of the library
 * @throws BackendError if there is none that can be trusted to have the bits of these sources
 */
export function findNativeLibrary(build = BUILD, kernels = KERNELS): string {
  const { sources, library, why } = readRecord(build);
  if (library === null) throw new BackendError(`native: no library was built (${why ?? "no reason given"})`);
  if (sources !== digestOfSources(kernels))
    throw new BackendError(`native: the library was built from other sources: ${BUILD_IT}`);
  const url = new URL(library.file, build);
  if (library.sha256 !== sha256(readOr(url, "the library is missing")))
    throw new BackendError(
      `native: the library is damaged: its SHA-256 is not the recorded one; ${BUILD_IT}`,
    );
  return fileURLToPath(url);
}

/** Whether no library was built, which is no fault: there may be no compiler. */
export function isNotBuilt(build = BUILD): boolean {
  if (!existsSync(new URL(RECORD, build))) return true;
  try {
    return readRecord(build).library === null;
  } catch {
    // `findNativeLibrary` says what is wrong with it.
    return false;
  }
}

/** SHA-256 of the names and contents of all sources, in hexadecimal. */
export function digestOfSources(kernels = KERNELS): string {
  const hash = createHash("sha256");
  const names = readdirSync(kernels).filter((name) => /\.[ch]$/.test(name));
  for (const name of names.sort()) {
    const contents = readFileSync(new URL(name, kernels));
    hash.update(`${name} ${contents.length}\n`).update(contents);
  }
  return hash.digest("hex");
}

export function sha256(contents: Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex");
}

function readRecord(build: URL): NativeBuild {
  const text = readOr(new URL(RECORD, build), "no library was built").toString("utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackendError(`native: ${RECORD} is damaged: ${BUILD_IT}`, { cause });
  }
}

function readOr(url: URL, problem: string): Buffer {
  try {
    return readFileSync(url);
  } catch (cause) {
    throw new BackendError(`native: ${problem}: ${BUILD_IT}`, { cause });
  }
}
