/**
 * The on-disk cache for the tokens of texts that are too large for memory. It is a folder next to the run directories,
 * so all runs on a text share one file. The file is named after the text's SHA-256 and the tokenizer.
 */
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError, DataError } from "../errors.ts";
import type { Processes } from "../run/lock.ts";
import { makeFolders } from "../run/make-folders.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { failureReason } from "../util/failure-reason.ts";

/** The folder's default name. */
export const CACHE_NAME = ".nopeek-cache";
/** Texts up to this size use less memory than the program itself. */
export const IN_MEMORY_MB = 32;

export interface CacheFlags {
  readonly cache?: string;
  /** In megabytes. */
  readonly inMemory?: number;
}

export interface CachePlace {
  /** Texts up to this size stay in memory. */
  readonly inMemoryBytes: number;
  readonly folder: string;
  /** Distinguishes partial files of running processes from leftovers of killed ones. */
  readonly processes: Processes;
}

const PARTIAL = /^\.[\w-]+\.(.+)\.(\d+)\.partial$/;

/** For a text that is known to be short. */
export const IN_MEMORY_ONLY: CachePlace = {
  inMemoryBytes: Number.POSITIVE_INFINITY,
  folder: CACHE_NAME,
  processes: { self: { pid: 0, started: null, machine: "", boot: null }, isAlive: () => null },
};

/**
 * The cache folder from the flags, by default next to the run directory.
 *
 * @throws ConfigError for an invalid size
 */
export function cachePlace(
  { cache, inMemory = IN_MEMORY_MB }: CacheFlags,
  run: string,
  processes: Processes,
): CachePlace {
  if (!(inMemory >= 0)) throw new ConfigError(`\`inMemory\` must be at least 0 megabytes: got ${inMemory}`);
  return { inMemoryBytes: inMemory * 1e6, folder: cache ?? join(dirname(run), CACHE_NAME), processes };
}

/** The identity of a token file: the text, the tokenizer, and whether unknown characters were dropped. */
export interface TokensOf {
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
  readonly drops: boolean;
}

/** The path of the file for these tokens. The file need not exist. */
export function cacheFile({ folder }: CachePlace, { sha256, tokenizer, drops }: TokensOf): string {
  const how = createHash("sha256")
    .update(JSON.stringify([tokenizer, drops]))
    .digest("hex");
  return join(folder, `${sha256.slice(0, 16)}-${how.slice(0, 8)}.tokens`);
}

/** A path for an incomplete file. Creates the folder, and removes leftovers of killed processes from it. */
export function hiddenName(place: CachePlace, what: string): string {
  const { folder, processes } = place;
  inCache(place, () => {
    makeFolders(folder);
    for (const name of readdirSync(folder))
      if (isLeftOver(name, processes)) rmSync(join(folder, name), { force: true });
  });
  return join(folder, `.${what}.${processes.self.machine}.${processes.self.pid}.partial`);
}

function isLeftOver(name: string, { self, isAlive }: Processes): boolean {
  const found = PARTIAL.exec(name);
  if (found === null) return false;
  return isAlive({ ...self, machine: found[1], pid: Number(found[2]), started: null }) === false;
}

/**
 * Runs a file operation in the folder.
 *
 * @throws DataError if the system reports an error, with the reason and a remedy
 */
export function inCache<T>({ folder }: CachePlace, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new DataError(`cannot write ${folder}: ${reason}; \`cache\` names another`, { cause });
  }
}
