/** File operations for tests: a file system in memory, and one that fails at a chosen moment. */
import { dirname, join } from "node:path";
import type { Files, Found } from "../../src/run/files.ts";
import { sha256Hex } from "../../src/util/sha256.ts";

/** An error like those of Node's file operations. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: it is so, '${path}'`), { code });
}

export class MemoryFiles implements Files {
  readonly folders: Set<string>;
  readonly contents: Map<string, Uint8Array>;
  readonly sha256 = sha256Hex;

  constructor(from?: MemoryFiles) {
    this.folders = new Set(from?.folders ?? ["/"]);
    this.contents = new Map(from?.contents ?? []);
  }

  exists(path: string): boolean {
    return this.folders.has(path) || this.contents.has(path);
  }

  list(folder: string): string[] {
    if (this.contents.has(folder)) throw systemError("ENOTDIR", folder);
    if (!this.folders.has(folder)) throw systemError("ENOENT", folder);
    const paths = [...this.folders, ...this.contents.keys()];
    return paths
      .filter((path) => path !== folder && dirname(path) === folder)
      .map((path) => path.slice(join(folder, "/").length))
      .sort();
  }

  inspect(path: string): Found | null {
    const bytes = this.contents.get(path);
    if (bytes !== undefined) return { type: "file", bytes: bytes.length };
    return this.folders.has(path) ? { type: "folder", bytes: 0 } : null;
  }

  read(file: string, limit = Number.POSITIVE_INFINITY): Uint8Array {
    const bytes = this.readPart(file, 0, limit + 1);
    if (bytes.length > limit) throw systemError("TOO_LARGE", file);
    return bytes;
  }

  readPart(file: string, start: number, length: number): Uint8Array {
    if (this.folders.has(file)) throw systemError("EISDIR", file);
    const bytes = this.contents.get(file);
    if (bytes === undefined) throw systemError("ENOENT", file);
    return bytes.slice(start, start + length);
  }

  write(file: string, bytes: Uint8Array): void {
    if (this.folders.has(file)) throw systemError("EISDIR", file);
    if (!this.folders.has(dirname(file))) throw systemError("ENOENT", file);
    this.contents.set(file, bytes.slice());
  }

  append(file: string, text: string): void {
    const before = this.contents.get(file) ?? new Uint8Array(0);
    this.write(file, Buffer.concat([before, Buffer.from(text)]));
  }

  flush(file: string): void {
    this.read(file);
  }

  createFolder(folder: string): void {
    if (this.contents.has(folder)) throw systemError("EEXIST", folder);
    if (this.folders.has(folder)) return;
    this.createFolder(dirname(folder));
    this.folders.add(folder);
  }

  flushFolder(folder: string): void {
    this.list(folder);
  }

  rename(from: string, to: string): void {
    if (!this.exists(from)) throw systemError("ENOENT", from);
    if (this.folders.has(from) && this.exists(to)) throw systemError("ENOTEMPTY", to);
    if (this.contents.has(from) && this.folders.has(to)) throw systemError("EISDIR", to);
    const moved = (path: string) => to + path.slice(from.length);
    for (const path of this.#within(this.folders)(from)) {
      this.folders.delete(path);
      this.folders.add(moved(path));
    }
    for (const path of this.#within(this.contents.keys())(from)) {
      this.contents.set(moved(path), this.read(path));
      this.contents.delete(path);
    }
  }

  remove(path: string): void {
    for (const file of this.#within(this.contents.keys())(path)) this.contents.delete(file);
    for (const folder of this.#within(this.folders)(path)) this.folders.delete(folder);
  }

  #within(paths: Iterable<string>): (path: string) => string[] {
    return (path) => [...paths].filter((each) => each === path || each.startsWith(`${path}/`));
  }
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
  readonly sha256 = sha256Hex;

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

  readPart(file: string, start: number, length: number): Uint8Array {
    this.#live();
    return this.#files.readPart(file, start, length);
  }

  write(file: string, bytes: Uint8Array): void {
    this.#spend(1, file);
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
    if (this.#files.folders.has(path)) {
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
