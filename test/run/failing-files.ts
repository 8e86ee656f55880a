/** File operations for tests: files in memory that fail at a chosen moment. */
import { join } from "node:path";
import { type Contents, type Files, type Found, type OpenedFile, piecesOf } from "../../src/run/files.ts";
import type { MemoryFiles } from "../../src/run/memory-files.ts";
import { joinBytes } from "../../src/util/join-bytes.ts";

/** An error like those of Node's file operations. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: it is so, '${path}'`), { code });
}

/** Thrown to simulate a kill. */
export class Killed extends Error {}

/** "killed", or an error code: "ENOSPC" for a full disk, "EROFS" for a read-only one. */
export type Failure = "killed" | "ENOSPC" | "EROFS" | "EACCES" | "EIO";

/**
 * Files that fail after `budget` units of work. A unit is a file removed, a part of a file written, or any other
 * change. A write is cut at one of `cuts` places, by default at any byte; a removal leaves part of its files.
 *
 * After a kill nothing works any more. After any other failure every change fails and the program continues; on a full
 * disk, files can still be removed.
 */
export class FailingFiles implements Files {
  readonly #files: MemoryFiles;
  readonly #failure: Failure;
  readonly #cuts: number;
  #budget: number;
  #over = false;

  constructor(files: MemoryFiles, failure: Failure, budget: number, cuts = Number.POSITIVE_INFINITY) {
    this.#files = files;
    this.#failure = failure;
    this.#cuts = cuts;
    this.#budget = budget;
  }

  /** Whether the budget sufficed. */
  get survived(): boolean {
    return !this.#over;
  }

  exists(path: string): boolean {
    this.#live();
    return this.#files.exists(path);
  }

  list(folder: string): string[] {
    this.#live();
    return this.#files.list(folder);
  }

  inspect(path: string): Found | null {
    this.#live();
    return this.#files.inspect(path);
  }

  read(file: string, limit: number): Uint8Array {
    this.#live();
    return this.#files.read(file, limit);
  }

  open<T>(file: string, limit: number, use: (opened: OpenedFile) => T): T {
    this.#live();
    return this.#files.open(file, limit, use);
  }

  readPart(file: string, start: number, length: number): Uint8Array {
    this.#live();
    return this.#files.readPart(file, start, length);
  }

  sha256(contents: Contents): string {
    return this.#files.sha256(contents);
  }

  sha256Of(file: string, limit: number): string {
    this.#live();
    return this.#files.sha256Of(file, limit);
  }

  write(file: string, contents: Contents): void {
    this.#spend(1, file);
    const bytes = joinBytes(piecesOf(contents));
    const units = Math.min(this.#cuts, bytes.length);
    this.#files.write(
      file,
      bytes.subarray(0, Math.floor((bytes.length * Math.min(this.#budget, units)) / units)),
    );
    this.#spend(units, file);
  }

  append(file: string, text: string): void {
    this.#files.append(file, text.slice(0, Math.max(0, this.#budget)));
    this.#spend(text.length, file);
  }

  flush(file: string): void {
    this.#spend(1, file);
    this.#files.flush(file);
  }

  createFolder(folder: string): void {
    this.#spend(1, folder);
    this.#files.createFolder(folder);
  }

  flushFolder(folder: string): void {
    this.#spend(1, folder);
    this.#files.flushFolder(folder);
  }

  rename(from: string, to: string): void {
    this.#spend(1, from);
    this.#files.rename(from, to);
  }

  remove(path: string): void {
    this.#live();
    if (this.#files.inspect(path)?.type === "folder") {
      for (const name of this.#files.list(path)) {
        if (this.#failure !== "ENOSPC") this.#spend(1, path);
        this.#files.remove(join(path, name));
      }
    }
    if (this.#failure !== "ENOSPC" && this.#files.exists(path)) this.#spend(1, path);
    this.#files.remove(path);
  }

  #live(): void {
    if (this.#over && this.#failure === "killed") throw new Killed();
  }

  #spend(units: number, path: string): void {
    this.#live();
    this.#budget -= units;
    if (this.#budget >= 0) return;
    this.#over = true;
    throw this.#failure === "killed" ? new Killed() : systemError(this.#failure, path);
  }
}
