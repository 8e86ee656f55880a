/**
 * Where the tokens of texts are kept that are too large for memory: a folder beside the runs, so that all runs on a text
 * share one file. It is named after the text's SHA-256 and the tokenizer: another text is another file.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError, DataError } from "../errors.ts";
import type { Processes } from "../run/lock.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { failureReason } from "../util/failure-reason.ts";

/** Where the tokens of large texts are kept, a folder beside the run. */
export const CACHE_NAME = ".nopeek-cache";
/** A text of this size is small: what it takes of memory is less than what the program takes by itself. */
export const IN_MEMORY_MB = 32;

export interface CacheFlags {
  readonly cache?: string;
  /** In megabytes. */
  readonly inMemory?: number;
}

export interface CachePlace {
  /** Texts of up to so many bytes stay in memory. */
  readonly inMemoryBytes: number;
  readonly folder: string;
  /** Tells partial files of running processes from those that a killed one left. */
  readonly processes: Processes;
}

const PARTIAL = /^\.[\w-]+\.(.+)\.(\d+)\.partial$/;

/** For a text that is short for certain. */
export const IN_MEMORY_ONLY: CachePlace = {
  inMemoryBytes: Number.POSITIVE_INFINITY,
  folder: CACHE_NAME,
  processes: { self: { pid: 0, started: null, machine: "", boot: null }, isAlive: () => null },
};

/**
 * As flags say, or beside a run.
 *
 * @throws ConfigError for a size that is none
 */
export function cachePlace(
  { cache, inMemory = IN_MEMORY_MB }: CacheFlags,
  run: string,
  processes: Processes,
): CachePlace {
  if (!(inMemory >= 0)) throw new ConfigError(`\`inMemory\` must be at least 0 megabytes: got ${inMemory}`);
  return { inMemoryBytes: inMemory * 1e6, folder: cache ?? join(dirname(run), CACHE_NAME), processes };
}

/** What makes tokens the same ones: the text, the tokenizer, and whether unknown characters were dropped. */
export interface TokensOf {
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
  readonly drops: boolean;
}

/** Where they are kept, if they are. */
export function cacheFile({ folder }: CachePlace, { sha256, tokenizer, drops }: TokensOf): string {
  const how = createHash("sha256")
    .update(JSON.stringify([tokenizer, drops]))
    .digest("hex");
  return join(folder, `${sha256.slice(0, 16)}-${how.slice(0, 8)}.tokens`);
}

/** A name in the folder for what is not whole yet; the folder is made, and rid of what killed programs left. */
export function hiddenName(place: CachePlace, what: string): string {
  const { folder, processes } = place;
  inCache(place, () => {
    mkdirSync(folder, { recursive: true });
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

/** @throws DataError when the system fails in the folder: what failed, and what would be right */
export function inCache<T>({ folder }: CachePlace, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new DataError(`cannot write ${folder}: ${reason}; \`cache\` names another`, { cause });
  }
}
