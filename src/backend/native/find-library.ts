/**
 * Finds the library of native kernels: the one of this platform's package, or the one that scripts/build-native.ts has
 * built on this machine. Checks that it is whole and belongs to these sources.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
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

/** A folder that holds a library with its record, or may hold one. */
export interface LibraryFolder {
  readonly url: URL;
  /** What gives the user a library that is in order. */
  readonly remedy: string;
}

/** A folder in which `npm run build:native` or a test builds. */
export const builtIn = (url: URL): LibraryFolder => ({ url, remedy: BUILD_IT });

/** The name of the package that holds the library for a platform: "@nopeek/native-linux-x64". */
export const packageOf = (platform: string, arch: string): string => `@nopeek/native-${platform}-${arch}`;

/**
 * The folders in which a library may be: the package of this platform, if it is installed, and what is built here.
 *
 * @param importer the file from which Node looks for the package
 */
export function libraryFolders(importer: string | URL = import.meta.url): readonly LibraryFolder[] {
  const name = packageOf(platform(), arch());
  try {
    const record = createRequire(importer).resolve(`${name}/${RECORD}`);
    return [{ url: new URL(".", pathToFileURL(record)), remedy: `install ${name} again` }, builtIn(BUILD)];
  } catch {
    return [builtIn(BUILD)];
  }
}

/**
 * @param folders where to look, in this order
 * @returns the path of the first library that can be trusted to have the bits of these sources
 * @throws BackendError if there is none; it says what is wrong with the first
 */
export function findNativeLibrary(folders = libraryFolders(), kernels = KERNELS): string {
  const errors: unknown[] = [];
  for (const folder of folders) {
    try {
      return checkedLibrary(folder, kernels);
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors[0];
}

function checkedLibrary({ url: build, remedy }: LibraryFolder, kernels: URL): string {
  const { sources, library, why } = readRecord(build, remedy);
  if (library === null) throw new BackendError(`native: no library was built (${why ?? "no reason given"})`);
  if (sources !== digestOfSources(kernels))
    throw new BackendError(`native: the library was built from other sources: ${remedy}`);
  const url = new URL(library.file, build);
  if (library.sha256 !== sha256(readOr(url, "the library is missing", remedy)))
    throw new BackendError(`native: the library is damaged: its SHA-256 is not the recorded one; ${remedy}`);
  return fileURLToPath(url);
}

/** Whether no library was installed or built, which is no fault: there may be no compiler. */
export function isNotBuilt(folders = libraryFolders()): boolean {
  return folders.every(({ url, remedy }) => {
    if (!existsSync(new URL(RECORD, url))) return true;
    try {
      return readRecord(url, remedy).library === null;
    } catch {
      // `findNativeLibrary` says what is wrong with it.
      return false;
    }
  });
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

function readRecord(build: URL, remedy: string): NativeBuild {
  const text = readOr(new URL(RECORD, build), "no library was built", remedy).toString("utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackendError(`native: ${RECORD} is damaged: ${remedy}`, { cause });
  }
}

function readOr(url: URL, problem: string, remedy: string): Buffer {
  try {
    return readFileSync(url);
  } catch (cause) {
    throw new BackendError(`native: ${problem}: ${remedy}`, { cause });
  }
}
