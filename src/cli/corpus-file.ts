/** Reads a corpus from disk. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DataError } from "../errors.ts";
import { decodeCorpus } from "../train/corpus.ts";

export interface CorpusFile {
  readonly path: string;
  readonly text: string;
  readonly sha256: string;
}

/** The tales that come with nopeek, and what is known about them. */
export const TALES_PATH = fileURLToPath(new URL("../../data/tales.txt", import.meta.url));
/** What config.json calls them: their path is another on every machine. */
export const TALES_NAME = "the embedded tales";
const TALES_FACTS_PATH = fileURLToPath(new URL("../../data/tales.json", import.meta.url));

const talesFacts = z.object({
  sha256: z.string(),
  split: z.object({ validation: z.object({ entropyNatsPerCharacter: z.number() }) }),
});

/** @throws DataError when it is missing, a folder, unreadable, empty or not UTF-8 */
export async function readCorpus(path: string): Promise<CorpusFile> {
  const bytes = await readBytes(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, text: decodeCorpus(bytes, path), sha256 };
}

/**
 * The entropy of the validation part in nats per character, which no model that does not peek goes below; null
 * for a corpus whose source is not known.
 */
export async function entropyFloor(sha256: string): Promise<number | null> {
  const facts: unknown = JSON.parse(await readFile(TALES_FACTS_PATH, "utf8"));
  const known = talesFacts.safeParse(facts);
  return known.success && known.data.sha256 === sha256
    ? known.data.split.validation.entropyNatsPerCharacter
    : null;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "there is no such file; --data takes the path of a text file";
    case "EISDIR":
      return "is a folder; --data takes the path of one text file";
    case "ENOTDIR":
      return "a part of the path is a file, not a folder; --data takes the path of a text file";
    case "EACCES":
      return "may not be read by you; check its permissions";
    default:
      return `cannot be read: ${error.message}`;
  }
}
