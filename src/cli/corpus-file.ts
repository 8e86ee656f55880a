/** Reads a corpus from disk. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DataError } from "../errors.ts";
import { decodeCorpus } from "../train/corpus.ts";

export interface CorpusFile {
  /** What it is called. */
  readonly path: string;
  /** What was named to read it. */
  readonly paths: readonly string[];
  /** How many files it is made of. */
  readonly files: number;
  readonly text: string;
  readonly sha256: string;
}

/** In place of a path: standard input. */
export const STDIN = "-";

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
  return { path, paths: [path], files: 1, text: decodeCorpus(bytes, path), sha256 };
}

/**
 * One text made of files, of all files in folders, and of standard input, in the order in which they are named; what
 * a folder holds is sorted by name, and hidden names are left out. A text that does not end a line is ended by one.
 *
 * @throws DataError as `readCorpus` does; also when a folder holds no file
 */
export async function readTexts(paths: readonly string[]): Promise<CorpusFile> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const texts: CorpusFile[] = [];
  for (const file of files) texts.push(await readCorpus(file));
  const path = paths.join(", ");
  if (texts.length === 1) return { ...texts[0], path: paths[0], paths };
  const text = texts.map(({ text }) => (text.endsWith("\n") ? text : `${text}\n`)).join("");
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { path, paths, files: texts.length, text, sha256 };
}

async function filesOf(path: string): Promise<string[]> {
  if (path === STDIN) return [path];
  const known = await readable(path);
  if (known !== "folder") return [path];
  const names = (await readdir(path, { recursive: true })).sort();
  const shown = names.filter((name) => !name.split(sep).some((part) => part.startsWith(".")));
  const files: string[] = [];
  for (const name of shown) if ((await readable(join(path, name))) === "file") files.push(join(path, name));
  if (files.length === 0) throw new DataError(`${path}: is a folder without a file in it`);
  return files;
}

async function readable(path: string): Promise<"file" | "folder" | "neither"> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "folder" : found.isFile() ? "file" : "neither";
  } catch {
    // Reading it will say why.
    return "neither";
  }
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
    return path === STDIN ? await buffer(process.stdin) : await readFile(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "there is no such file; --data takes text files, folders of them, or - for standard input; nopeek data lists texts that can be had";
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
