/**
 * The on-disk cache for the tokens of texts that are too large for memory. It is a folder next to the run directories,
 * so all runs on a text share one file. The file is named after the text's SHA-256 and the tokenizer.
 */
import { createHash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DocumentsKind, SplitName } from "../config/choices.ts";
import { ConfigError, DataError } from "../errors.ts";
import type { Owner, Processes } from "../run/lock.ts";
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

const PARTIAL = /^\..+\.partial$/;
/** The machine, the system and the process that write a file. */
const OWNED = /^\.[\w-]+\.(.+)\.([0-9a-f]{12})\.(\d+)\.partial$/;
const DAY_MS = 86_400_000;

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

/** The identity of a token file: the text, its documents, the tokenizer, and whether unknown characters were dropped. */
export interface TokensOf {
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
  readonly drops: boolean;
  readonly documents: DocumentsKind;
  readonly split: SplitName;
  /** The number of tokens to train on; null if the text is split at its end. */
  readonly boundary: number | null;
}

/** The path of the file for these tokens. The file need not exist. */
export function cacheFile({ folder }: CachePlace, of: TokensOf): string {
  const { sha256, tokenizer, drops, documents, split, boundary } = of;
  const parts = [documents, ...(boundary === null ? [] : [split, boundary])];
  const how = createHash("sha256")
    .update(JSON.stringify([tokenizer, drops, ...(parts[0] === "none" && parts.length === 1 ? [] : parts)]))
    .digest("hex");
  return join(folder, `${sha256.slice(0, 16)}-${how.slice(0, 8)}.tokens`);
}

/**
 * A path for an incomplete file. Creates the folder, and removes leftovers of killed processes from it.
 *
 * @param what a word for the contents
 */
export function hiddenName(place: CachePlace, what: string): string {
  const { folder, processes } = place;
  inCache(place, () => {
    makeFolders(folder);
    const { mtimeMs } = statSync(folder);
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (PARTIAL.test(name) && isLeftOver(name, path, mtimeMs, processes)) rmSync(path, { force: true });
    }
  });
  const { machine, pid } = processes.self;
  return join(folder, `.${what}.${machine}.${systemOf(processes.self)}.${pid}.partial`);
}

/**
 * Whether a partial file belongs to no process: its process has ended, or nothing was written to it for a day. Only
 * processes of this boot and this container can be seen, even if another container has the same host name.
 */
function isLeftOver(
  name: string,
  path: string,
  folderChangedMs: number,
  { self, isAlive }: Processes,
): boolean {
  const [, machine, system, pid] = OWNED.exec(name) ?? [];
  if (machine === self.machine && system === systemOf(self))
    return isAlive({ ...self, pid: Number(pid), started: null }) === false;
  // This layer reads no clock. The folder changed no later than now.
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && folderChangedMs - found.mtimeMs > DAY_MS;
}

/** Identifies the boot and the container in a file name. */
function systemOf({ boot }: Owner): string {
  return createHash("sha256").update(String(boot)).digest("hex").slice(0, 12);
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
