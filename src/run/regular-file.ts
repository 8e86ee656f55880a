/**
 * Opens and creates files in folders that may come from someone else. Only a regular file is read, which is checked on
 * the open descriptor; a pipe, a device or a file that is too large is an error at once, not a wait.
 */
import { closeSync, constants, fstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { errorCode } from "../util/failure-reason.ts";
import { formatBytes } from "../util/format.ts";

/** Whether the last part of a path may be a symbolic link. In a run it may not: a link could lead out of the run. */
export type Links = "follow" | "refuse";

export interface OpenFile {
  readonly descriptor: number;
  /** The size when it was opened. */
  readonly bytes: number;
}

// Windows has neither flag.
const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const PART_BYTES = 2 ** 20;
/** Node refuses to read 2 GiB in one call. */
const MOST_AT_ONCE = 2 ** 30;
/** The descriptors of this program under their paths, as in a shell's `<(…)`. */
const OWN_DESCRIPTOR = /^\/dev\/(?:stdin|fd\/\d+)$/;

/** A file of the wrong type or size. It has a code, like the errors of the system. */
class UnsuitableFile extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether a path is an open descriptor of this program, which may be a pipe. */
export function isOwnDescriptor(path: string): boolean {
  return OWN_DESCRIPTOR.test(path);
}

/**
 * Opens a regular file for reading.
 *
 * @throws a system error, which `failureReason` explains, also if it is not a regular file
 */
export function openRegular(path: string, links: Links): OpenFile {
  const noLink = links === "refuse" ? O_NOFOLLOW : 0;
  return checked(path, openSync(path, O_RDONLY | O_NONBLOCK | noLink));
}

/** Opens a regular file for appending, and creates it if it is missing. Throws as `openRegular` does. */
export function openToAppend(path: string): OpenFile {
  return checked(path, openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW));
}

/** Opens a regular file for flushing it. Throws as `openRegular` does. */
export function openToFlush(path: string): OpenFile {
  return checked(path, openSync(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW));
}

/**
 * Replaces a file or a link by a new, empty file for reading and writing. The target of a link stays as it is.
 *
 * @returns its descriptor
 * @throws a system error
 */
export function createAfresh(path: string): number {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
}

/**
 * Reads a regular file.
 *
 * @param limit the most bytes that it may have
 * @throws a system error, also if it is not a regular file or is larger
 */
export function readRegular(path: string, limit: number, links: Links = "follow"): Uint8Array<ArrayBuffer> {
  return using(openRegular(path, links), ({ descriptor, bytes }) => {
    checkSize(bytes, limit);
    return readAt(descriptor, 0, bytes);
  });
}

/** The bytes of a regular file, a part at a time. Throws as `readRegular` does. */
export function* partsOf(path: string, limit: number, links: Links): Generator<Uint8Array> {
  const { descriptor, bytes } = openRegular(path, links);
  try {
    checkSize(bytes, limit);
    for (let at = 0; at < bytes; at += PART_BYTES)
      yield readAt(descriptor, at, Math.min(PART_BYTES, bytes - at));
  } finally {
    closeSync(descriptor);
  }
}

/** Reads at most `length` bytes of a regular file from `start` on, fewer at its end. Throws as `openRegular` does. */
export function readPart(path: string, start: number, length: number, links: Links): Uint8Array<ArrayBuffer> {
  return using(openRegular(path, links), (file) => partOf(file, start, length));
}

/** Reads at most `length` bytes of an open file from `start` on, fewer at its end. */
export function partOf(
  { descriptor, bytes }: OpenFile,
  start: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  return readAt(descriptor, start, Math.max(0, Math.min(length, bytes - start)));
}

/** Runs `operation` on an open file, and closes it. */
export function using<T>(file: OpenFile, operation: (file: OpenFile) => T): T {
  try {
    return operation(file);
  } finally {
    closeSync(file.descriptor);
  }
}

/** @throws a system error if it has more bytes than it may */
export function checkSize(bytes: number, limit: number): void {
  if (bytes > limit)
    throw new UnsuitableFile(
      "TOO_LARGE",
      `it has ${formatBytes(bytes)}, and a file of this type has at most ${formatBytes(limit)}`,
    );
}

/** Reads `length` bytes from `start` on, or fewer at the end of the file. */
function readAt(descriptor: number, start: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const more = readSync(descriptor, bytes, got, Math.min(length - got, MOST_AT_ONCE), start + got);
    if (more === 0) break;
    got += more;
  }
  return bytes.subarray(0, got);
}

function checked(path: string, descriptor: number): OpenFile {
  const found = fstatSync(descriptor);
  if (found.isFile()) return { descriptor, bytes: found.size };
  closeSync(descriptor);
  if (found.isDirectory()) throw new UnsuitableFile("EISDIR", `EISDIR: ${path} is a folder`);
  const what = found.isFIFO() ? "a pipe" : "a device";
  throw new UnsuitableFile("NOT_A_FILE", `it is ${what}, not a file`);
}
