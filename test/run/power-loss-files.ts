/**
 * Files of a machine that may lose power: each change that was not flushed has reached the disk or has not,
 * independently of the others. That is harsher than any journaling file system; only a rename stays atomic.
 */
import { basename, dirname, join } from "node:path";
import { type Contents, type Files, type Found, type OpenedFile, piecesOf } from "../../src/run/files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { joinBytes } from "../../src/util/join-bytes.ts";
import { sha256Hex } from "../../src/util/sha256.ts";
import { Killed, systemError } from "./failing-files.ts";

class File {
  /** The contents as the program sees them, and on disk. */
  now = new Uint8Array(0);
  kept = new Uint8Array(0);
}

class Folder {
  readonly now = new Map<string, File | Folder>();
  readonly kept = new Map<string, File | Folder>();
}

/** The names that a change sets; null removes one. */
interface Change {
  readonly folder: Folder;
  readonly names: readonly (readonly [string, File | Folder | null])[];
}

function apply(names: Map<string, File | Folder>, change: Change): void {
  for (const [name, node] of change.names) {
    if (node === null) names.delete(name);
    else names.set(name, node);
  }
}

export class PowerLossFiles implements Files {
  readonly #root = new Folder();
  #budget: number;
  #pending: Change[] = [];
  operations = 0;

  /** @param budget operations until the power fails */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** The disk after the failure. `draw` decides whether a change that was not flushed reached it. */
  found(draw: () => boolean): MemoryFiles {
    const kept = new Map<Folder, Map<string, File | Folder>>();
    const namesOf = (folder: Folder) => {
      const names = kept.get(folder) ?? new Map(folder.kept);
      kept.set(folder, names);
      return names;
    };
    for (const change of this.#pending) if (draw()) apply(namesOf(change.folder), change);
    const files = new MemoryFiles();
    const copy = (folder: Folder, path: string) => {
      for (const [name, node] of namesOf(folder)) {
        const at = join(path, name);
        if (node instanceof Folder) {
          files.createFolder(at);
          copy(node, at);
        } else files.write(at, draw() ? node.now : node.kept);
      }
    };
    copy(this.#root, "/");
    return files;
  }

  exists(path: string): boolean {
    return this.#find(path) !== null;
  }

  list(folder: string): string[] {
    return [...this.#folder(folder).now.keys()].sort();
  }

  inspect(path: string): Found | null {
    const node = this.#find(path);
    if (node instanceof File) return { type: "file", bytes: node.now.length };
    return node === null ? null : { type: "folder", bytes: 0 };
  }

  read(file: string): Uint8Array {
    return this.#file(file).now.slice();
  }

  open<T>(file: string, _limit: number, use: (opened: OpenedFile) => T): T {
    const { now } = this.#file(file);
    return use({ bytes: now.length, readPart: (start, length) => now.slice(start, start + length) });
  }

  readPart(file: string, start: number, length: number): Uint8Array {
    return this.open(file, length, (opened) => opened.readPart(start, length));
  }

  sha256(contents: Contents): string {
    return sha256Hex(joinBytes(piecesOf(contents)));
  }

  sha256Of(file: string): string {
    return sha256Hex(this.read(file));
  }

  write(file: string, contents: Contents): void {
    const bytes = joinBytes(piecesOf(contents));
    const node = this.#made(file);
    // Truncated first, then partly written.
    node.now = bytes.slice(0, bytes.length >> 1);
    node.kept = new Uint8Array(0);
    this.#spend();
    node.now = bytes.slice();
    node.kept = node.now;
  }

  append(file: string, text: string): void {
    this.#spend();
    const node = this.#made(file);
    node.now = new Uint8Array(Buffer.concat([node.now, Buffer.from(text)]));
  }

  flush(file: string): void {
    this.#spend();
    const node = this.#file(file);
    node.kept = node.now;
  }

  createFolder(folder: string): void {
    if (this.exists(folder)) return;
    this.createFolder(dirname(folder));
    this.#spend();
    this.#change(dirname(folder), [[basename(folder), new Folder()]]);
    this.flushFolder(dirname(folder));
  }

  flushFolder(path: string): void {
    this.#spend();
    const folder = this.#folder(path);
    for (const change of this.#pending) if (change.folder === folder) apply(folder.kept, change);
    this.#pending = this.#pending.filter((change) => change.folder !== folder);
  }

  rename(from: string, to: string): void {
    this.#spend();
    if (dirname(from) !== dirname(to))
      throw new Error("a rename from one folder into another is not modelled");
    const node = this.#find(from);
    if (node === null) throw systemError("ENOENT", from);
    if (node instanceof Folder && this.exists(to)) throw systemError("ENOTEMPTY", to);
    this.#change(dirname(to), [
      [basename(from), null],
      [basename(to), node],
    ]);
  }

  remove(path: string): void {
    const node = this.#find(path);
    if (node === null) return;
    if (node instanceof Folder) for (const name of [...node.now.keys()]) this.remove(join(path, name));
    this.#spend();
    this.#change(dirname(path), [[basename(path), null]]);
  }

  #spend(): void {
    this.operations += 1;
    this.#budget -= 1;
    if (this.#budget < 0) throw new Killed();
  }

  #change(path: string, names: Change["names"]): void {
    const change = { folder: this.#folder(path), names };
    apply(change.folder.now, change);
    this.#pending.push(change);
  }

  #find(path: string): File | Folder | null {
    let node: File | Folder | undefined = this.#root;
    for (const name of path.split("/").filter(Boolean)) {
      node = node instanceof Folder ? node.now.get(name) : undefined;
    }
    return node ?? null;
  }

  #folder(path: string): Folder {
    const node = this.#find(path);
    if (node instanceof Folder) return node;
    throw systemError(node === null ? "ENOENT" : "ENOTDIR", path);
  }

  #file(path: string): File {
    const node = this.#find(path);
    if (node instanceof File) return node;
    throw systemError(node === null ? "ENOENT" : "EISDIR", path);
  }

  /** The file, created if it is missing. */
  #made(path: string): File {
    if (!this.exists(path)) this.#change(dirname(path), [[basename(path), new File()]]);
    return this.#file(path);
  }
}
