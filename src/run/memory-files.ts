/** Files in memory: a run directory where there is no disk, as in a browser. */
import { formatBytes } from "../util/format.ts";
import { joinBytes } from "../util/join-bytes.ts";
import { sha256Hex } from "../util/sha256.ts";
import { type Contents, type Files, type Found, type OpenedFile, piecesOf } from "./files.ts";

type Folder = Map<string, Node>;
type Node = Folder | Content;

/** A file. The array may be longer than its content, so that appending takes constant time. */
interface Content {
  readonly array: Uint8Array;
  readonly length: number;
}

/** A failure with a code, like those of a system. */
class MemoryFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Files in memory. A relative path starts at the root.
 *
 * @example
 * const files = new MemoryFiles();
 * const run = RunDirectory.create("/run", runConfigToJSON(config), { files });
 */
export class MemoryFiles implements Files {
  readonly #root: Folder;

  /** @param from files to start with a copy of */
  constructor(from?: MemoryFiles) {
    this.#root = from === undefined ? new Map() : copyOf(from.#root);
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  list(folder: string): string[] {
    return [...this.#folder(folder).keys()].sort();
  }

  inspect(path: string): Found | null {
    const found = this.#find(path);
    if (found === undefined) return null;
    return isFolder(found) ? { type: "folder", bytes: 0 } : { type: "file", bytes: found.length };
  }

  read(file: string, limit: number = Number.POSITIVE_INFINITY): Uint8Array {
    return this.open(file, limit, ({ bytes, readPart }) => readPart(0, bytes));
  }

  open<T>(file: string, limit: number, use: (opened: OpenedFile) => T): T {
    const { array, length: bytes } = this.#content(file);
    if (bytes > limit)
      throw new MemoryFailure(
        "TOO_LARGE",
        `it has ${formatBytes(bytes)}, and a file of this type has at most ${formatBytes(limit)}`,
      );
    return use({
      bytes,
      readPart: (start, length) => new Uint8Array(array.subarray(start, Math.min(start + length, bytes))),
    });
  }

  readPart(file: string, start: number, length: number): Uint8Array {
    return this.open(file, Number.POSITIVE_INFINITY, (opened) => opened.readPart(start, length));
  }

  write(file: string, contents: Contents): void {
    const array = joinBytes(piecesOf(contents));
    this.#put(file, { array, length: array.length });
  }

  append(file: string, text: string): void {
    const added = new TextEncoder().encode(text);
    const { array, length } = this.exists(file) ? this.#content(file) : { array: added, length: 0 };
    const end = length + added.length;
    const longer = array.length >= end ? array : grown(array.subarray(0, length), 2 * end);
    longer.set(added, length);
    this.#put(file, { array: longer, length: end });
  }

  /** Nothing is left to do: memory is all there is. */
  flush(file: string): void {
    this.#content(file);
  }

  createFolder(folder: string): void {
    let at = this.#root;
    for (const name of namesIn(folder)) {
      const found = at.get(name) ?? new Map();
      if (!isFolder(found)) throw new MemoryFailure("EEXIST", `${folder}: is a file`);
      at.set(name, found);
      at = found;
    }
  }

  flushFolder(folder: string): void {
    this.#folder(folder);
  }

  rename(from: string, to: string): void {
    const moved = this.#find(from);
    if (moved === undefined) throw missing(from);
    const before = this.#find(to);
    if (isFolder(moved) && before !== undefined)
      throw new MemoryFailure("ENOTEMPTY", `${to}: is there already`);
    this.#delete(from);
    try {
      this.#put(to, moved);
    } catch (error) {
      this.#put(from, moved);
      throw error;
    }
  }

  remove(path: string): void {
    this.#delete(path);
  }

  sha256(contents: Contents): string {
    return sha256Hex(joinBytes(piecesOf(contents)));
  }

  sha256Of(file: string, limit: number): string {
    return sha256Hex(this.read(file, limit));
  }

  #delete(path: string): void {
    const names = namesIn(path);
    const last = names.pop();
    const folder = this.#walk(names);
    if (last !== undefined && isFolder(folder)) folder.delete(last);
  }

  #put(path: string, node: Node): void {
    const names = namesIn(path);
    const last = names.pop();
    const folder = this.#walk(names);
    if (!isFolder(folder)) throw missing(path);
    if (last === undefined || isFolder(folder.get(last)))
      throw new MemoryFailure("EISDIR", `${path}: is a folder`);
    folder.set(last, node);
  }

  #find(path: string): Node | undefined {
    return this.#walk(namesIn(path));
  }

  #walk(names: readonly string[]): Node | undefined {
    let at: Node | undefined = this.#root;
    for (const name of names) at = isFolder(at) ? at.get(name) : undefined;
    return at;
  }

  #folder(path: string): Folder {
    const found = this.#find(path);
    if (found === undefined) throw missing(path);
    if (!isFolder(found)) throw new MemoryFailure("ENOTDIR", `${path}: is a file`);
    return found;
  }

  #content(path: string): Content {
    const found = this.#find(path);
    if (found === undefined) throw missing(path);
    if (isFolder(found)) throw new MemoryFailure("EISDIR", `${path}: is a folder`);
    return found;
  }
}

function isFolder(node: Node | undefined): node is Folder {
  return node instanceof Map;
}

/** The parts of a path from the root on, without "." and with ".." resolved. */
function namesIn(path: string): string[] {
  const names: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") names.pop();
    else if (part !== "" && part !== ".") names.push(part);
  }
  return names;
}

function copyOf(folder: Folder): Folder {
  const copied = new Map<string, Node>();
  // A content is never changed, except after its end, which the copy leaves out.
  for (const [name, node] of folder)
    copied.set(
      name,
      isFolder(node) ? copyOf(node) : { array: node.array.subarray(0, node.length), length: node.length },
    );
  return copied;
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(length);
  longer.set(bytes);
  return longer;
}

function missing(path: string): MemoryFailure {
  return new MemoryFailure("ENOENT", `${path}: is not there`);
}
