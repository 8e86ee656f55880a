/** The file operations of a run directory on the disk of this machine. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../util/failure-reason.ts";
import { type Files, type Found, piecesOf } from "./files.ts";
import { makeFolders } from "./make-folders.ts";
import {
  checkSize,
  createAfresh,
  openRegular,
  openToAppend,
  openToFlush,
  partOf,
  partsOf,
  readPart,
  readRegular,
  using,
} from "./regular-file.ts";

/** Links in a run are not followed: one in a foreign run could lead out of its directory. */
export const nodeFiles: Files = {
  exists: existsSync,
  list: (folder) => readdirSync(folder).sort(),
  inspect,
  read: (file, limit) => readRegular(file, limit, "refuse"),
  open: (file, limit, use) =>
    using(openRegular(file, "refuse"), (opened) => {
      checkSize(opened.bytes, limit);
      return use({ bytes: opened.bytes, readPart: (start, length) => partOf(opened, start, length) });
    }),
  readPart: (file, start, length) => readPart(file, start, length, "refuse"),
  write: (file, contents) => {
    const descriptor = createAfresh(file);
    try {
      for (const piece of piecesOf(contents)) writeFileSync(descriptor, piece);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  append: (file, text) => using(openToAppend(file), ({ descriptor }) => writeFileSync(descriptor, text)),
  flush: (file) => using(openToFlush(file), ({ descriptor }) => fsyncSync(descriptor)),
  createFolder: (folder) => {
    for (const made of makeFolders(folder).reverse()) flushFolder(dirname(made));
  },
  flushFolder,
  rename: renameSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  sha256: (contents) => hashOf(piecesOf(contents)),
  sha256Of: (file, limit) => hashOf(partsOf(file, limit, "refuse")),
};

function hashOf(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

function inspect(path: string): Found | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const type = found.isFile()
    ? "file"
    : found.isDirectory()
      ? "folder"
      : found.isSymbolicLink()
        ? "link"
        : "other";
  return { type, bytes: found.size };
}

function flushFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    using({ descriptor, bytes: 0 }, () => fsyncSync(descriptor));
  } catch (error) {
    // Windows and some network file systems cannot flush a folder and need not; nor can a user without read permission.
    if (!["EPERM", "EISDIR", "EINVAL", "ENOTSUP", "EACCES"].includes(errorCode(error) ?? "")) throw error;
  }
}
