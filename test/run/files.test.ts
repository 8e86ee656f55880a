import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { explainFailures, type Files } from "../../src/run/files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { readRegular } from "../../src/run/regular-file.ts";
import { systemError } from "./failing-files.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-run-files-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const LIMIT = 1000;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (read: Uint8Array) => new TextDecoder().decode(read);

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "nothing was thrown";
}

it("creates folders for absolute and relative paths", () => {
  const before = process.cwd();
  process.chdir(temporary);
  try {
    for (const folder of ["r", "s/t/u", "./v", "v/../w", join(temporary, "x", "y"), "r"]) {
      nodeFiles.createFolder(folder);
      expect(nodeFiles.list(folder)).toEqual([]);
    }
  } finally {
    process.chdir(before);
    for (const name of ["r", "s", "v", "w", "x"]) nodeFiles.remove(join(temporary, name));
  }
});

it.skipIf(process.platform === "win32")("does not append through a link", () => {
  const [target, link] = ["target", "link"].map((name) => join(temporary, name));
  nodeFiles.write(target, bytes("mine"));
  symlinkSync(target, link);
  expect(codeOf(() => nodeFiles.append(link, "more"))).toBe("ELOOP");
  expect(text(nodeFiles.read(target, LIMIT))).toBe("mine");
  for (const path of [link, target]) nodeFiles.remove(path);
});

describe.skipIf(process.platform === "win32")("in a folder that someone else filled", () => {
  const at = (name: string) => join(temporary, name);
  const reads: readonly (readonly [string, (path: string) => unknown])[] = [
    ["read", (path) => nodeFiles.read(path, LIMIT)],
    ["readPart", (path) => nodeFiles.readPart(path, 0, 1)],
    ["open", (path) => nodeFiles.open(path, LIMIT, () => 0)],
    ["sha256Of", (path) => nodeFiles.sha256Of(path, LIMIT)],
    ["append", (path) => nodeFiles.append(path, "x")],
    ["flush", (path) => nodeFiles.flush(path)],
  ];

  it.each(reads)("%s refuses a link, a pipe and a folder at once", (_name, operate) => {
    writeFileSync(at("target"), "mine");
    symlinkSync(at("target"), at("link"));
    symlinkSync("/dev/zero", at("zero"));
    mkdirSync(at("folder"));
    expect(spawnSync("mkfifo", [at("pipe")]).status).toBe(0);
    expect(codeOf(() => operate(at("link")))).toBe("ELOOP");
    expect(codeOf(() => operate(at("zero")))).toBe("ELOOP");
    expect(codeOf(() => operate(at("pipe")))).toMatch(/^(NOT_A_FILE|ENXIO)$/);
    expect(codeOf(() => operate(at("folder")))).toBe("EISDIR");
    expect(text(nodeFiles.read(at("target"), LIMIT))).toBe("mine");
    for (const name of ["target", "link", "zero", "folder", "pipe"]) nodeFiles.remove(at(name));
  });

  it("refuses a device and a pipe that a link leads to, where links are allowed", () => {
    for (const path of ["/dev/zero", "/dev/null", "/dev/tty"].filter((path) => existsSync(path))) {
      expect(codeOf(() => readRegular(path, LIMIT, "follow"))).toMatch(/^(NOT_A_FILE|ENXIO)$/);
    }
    expect(spawnSync("mkfifo", [at("pipe")]).status).toBe(0);
    symlinkSync(at("pipe"), at("to-pipe"));
    expect(codeOf(() => readRegular(at("to-pipe"), LIMIT, "follow"))).toBe("NOT_A_FILE");
    for (const name of ["pipe", "to-pipe"]) nodeFiles.remove(at(name));
  });

  it("does not read a file that is larger than allowed, nor more of an endless one than it had", () => {
    writeFileSync(at("sparse"), "");
    truncateSync(at("sparse"), 2 ** 40);
    expect(codeOf(() => nodeFiles.read(at("sparse"), 2 ** 31))).toBe("TOO_LARGE");
    expect(codeOf(() => nodeFiles.sha256Of(at("sparse"), 2 ** 31))).toBe("TOO_LARGE");
    expect(nodeFiles.readPart(at("sparse"), 2 ** 39, 7)).toHaveLength(7);
    nodeFiles.remove(at("sparse"));
    // A regular file of 0 bytes, according to the system.
    if (existsSync("/proc/self/status")) expect(nodeFiles.read("/proc/self/status", LIMIT)).toHaveLength(0);
  });

  it.each([
    ["a link", (path: string, target: string) => symlinkSync(target, path)],
    ["a link that leads nowhere", (path: string) => symlinkSync("nowhere", path)],
    ["a hard link", (path: string, target: string) => linkSync(target, path)],
    ["a pipe", (path: string) => expect(spawnSync("mkfifo", [path]).status).toBe(0)],
  ])("writes a new file in place of %s", (_what, put) => {
    writeFileSync(at("precious"), "mine");
    put(at("partial"), at("precious"));
    nodeFiles.write(at("partial"), bytes("new"));
    expect(text(nodeFiles.read(at("partial"), LIMIT))).toBe("new");
    expect(lstatSync(at("partial")).isFile()).toBe(true);
    expect(text(nodeFiles.read(at("precious"), LIMIT))).toBe("mine");
    expect(existsSync(at("nowhere"))).toBe(false);
    for (const name of ["precious", "partial"]) nodeFiles.remove(at(name));
  });
});

/** The in-memory files of the other tests behave like real ones. */
describe.each([
  { name: "nodeFiles", files: nodeFiles, root: temporary },
  { name: "MemoryFiles", files: new MemoryFiles(), root: "/" },
])("$name", ({ files, root }) => {
  const at = (...names: string[]) => join(root, ...names);

  it("writes, appends, lists, renames and removes", () => {
    files.createFolder(at("a", "b"));
    files.createFolder(at("a", "b"));
    files.write(at("a", "b", "two"), bytes("2"));
    files.write(at("a", "b", "one"), bytes("long"));
    files.write(at("a", "b", "one"), bytes("1"));
    files.append(at("a", "b", "log"), "x");
    files.append(at("a", "b", "log"), "yé");
    files.flush(at("a", "b", "log"));
    files.flushFolder(at("a", "b"));
    expect(files.list(at("a", "b"))).toEqual(["log", "one", "two"]);
    expect(text(files.read(at("a", "b", "log"), LIMIT))).toBe("xyé");
    expect(text(files.readPart(at("a", "b", "log"), 1, 2))).toBe("y\u{fffd}");
    expect(files.readPart(at("a", "b", "log"), 3, 9)).toHaveLength(1);
    expect(files.readPart(at("a", "b", "log"), 4, 9)).toHaveLength(0);
    expect(files.readPart(at("a", "b", "log"), 99, 9)).toHaveLength(0);
    expect(files.read(at("a", "b", "log"), 4)).toHaveLength(4);
    expect(codeOf(() => files.read(at("a", "b", "log"), 3))).toBe("TOO_LARGE");
    expect(files.sha256Of(at("a", "b", "log"), 4)).toBe(files.sha256(bytes("xyé")));
    expect(codeOf(() => files.sha256Of(at("a", "b", "log"), 3))).toBe("TOO_LARGE");
    files.write(at("a", "b", "log"), [bytes("in "), bytes(""), bytes("pieces")]);
    expect(text(files.read(at("a", "b", "log"), LIMIT))).toBe("in pieces");
    expect(files.sha256([bytes("in "), bytes("pieces")])).toBe(files.sha256(bytes("in pieces")));
    expect(codeOf(() => files.open(at("a", "b", "log"), 8, () => 0))).toBe("TOO_LARGE");
    files.open(at("a", "b", "log"), 9, (opened) => {
      files.write(at("a", "b", "log"), bytes("other"));
      expect(opened.bytes).toBe(9);
      expect(text(opened.readPart(3, 4))).toBe("piec");
      expect(opened.readPart(3, 4).buffer.byteLength).toBe(4);
      expect(text(opened.readPart(7, 99))).toBe("es");
      expect(opened.readPart(99, 1)).toHaveLength(0);
    });
    files.write(at("a", "b", "log"), bytes("long"));
    expect(files.inspect(at("a", "b", "log"))).toEqual({ type: "file", bytes: 4 });
    expect(files.inspect(at("a", "b"))?.type).toBe("folder");
    expect(files.inspect(at("a", "b", "none"))).toBeNull();
    files.rename(at("a", "b", "one"), at("a", "b", "two"));
    expect(text(files.read(at("a", "b", "two"), LIMIT))).toBe("1");
    files.rename(at("a", "b"), at("a", "c"));
    expect(files.list(at("a"))).toEqual(["c"]);
    expect(files.list(at("a", "c"))).toEqual(["log", "two"]);
    files.remove(at("a"));
    files.remove(at("a"));
    expect([files.exists(at("a")), files.exists(at("a", "c", "log"))]).toEqual([false, false]);
  });

  it("fails with the codes of the system", () => {
    files.createFolder(at("full"));
    files.createFolder(at("other"));
    files.write(at("full", "file"), bytes("1"));
    expect(codeOf(() => files.read(at("none"), LIMIT))).toBe("ENOENT");
    expect(codeOf(() => files.list(at("none")))).toBe("ENOENT");
    expect(codeOf(() => files.write(at("none", "file"), bytes("")))).toBe("ENOENT");
    expect(codeOf(() => files.rename(at("none"), at("some")))).toBe("ENOENT");
    expect(codeOf(() => files.read(at("full"), LIMIT))).toBe("EISDIR");
    expect(codeOf(() => files.write(at("full"), bytes("")))).toBe("EISDIR");
    expect(codeOf(() => files.list(at("full", "file")))).toBe("ENOTDIR");
    expect(codeOf(() => files.createFolder(at("full", "file")))).toBe("EEXIST");
    expect(codeOf(() => files.rename(at("other"), at("full")))).toBe("ENOTEMPTY");
  });
});

describe("MemoryFiles", () => {
  it("shares nothing with a copy, before or after either changes", () => {
    const files = new MemoryFiles();
    files.createFolder("/run");
    files.append("/run/log", "one ");
    files.append("/run/log", "two ");
    const copy = new MemoryFiles(files);
    files.append("/run/log", "three");
    copy.append("/run/log", "3");
    copy.write("/run/new", bytes("new"));
    expect(text(files.read("/run/log"))).toBe("one two three");
    expect(text(copy.read("/run/log"))).toBe("one two 3");
    expect(files.list("/run")).toEqual(["log"]);
    files.read("/run/log").fill(0);
    const given = bytes("given");
    files.write("/run/given", given);
    given.fill(0);
    expect(text(files.read("/run/log"))).toBe("one two three");
    expect(text(files.read("/run/given"))).toBe("given");
  });

  it("resolves paths from its root on, and none leads out of it", () => {
    const files = new MemoryFiles();
    files.createFolder("run/./inner/");
    files.write("../run/inner/../file", bytes("1"));
    expect(files.list("/")).toEqual(["run"]);
    expect(files.list("/run")).toEqual(["file", "inner"]);
    files.remove("/");
    expect(files.exists("/run/file")).toBe(true);
    expect(codeOf(() => files.write("/", bytes("")))).toBe("EISDIR");
  });

  it("keeps a file whose rename fails", () => {
    const files = new MemoryFiles();
    files.createFolder("/full");
    files.write("/file", bytes("1"));
    expect(codeOf(() => files.rename("/file", "/full"))).toBe("EISDIR");
    expect(codeOf(() => files.rename("/file", "/none/file"))).toBe("ENOENT");
    expect(text(files.read("/file"))).toBe("1");
  });

  it("appends a megabyte in small pieces in a moment", () => {
    const files = new MemoryFiles();
    for (let line = 0; line < 20_000; line++) files.append("/log", `${"x".repeat(49)}\n`);
    expect(files.inspect("/log")).toEqual({ type: "file", bytes: 1_000_000 });
  });
});

describe("explainFailures", () => {
  function failing(error: Error): Files {
    const fail = () => {
      throw error;
    };
    return {
      exists: fail,
      list: fail,
      inspect: fail,
      read: fail,
      open: fail,
      readPart: fail,
      write: fail,
      append: fail,
      flush: fail,
      createFolder: fail,
      flushFolder: fail,
      rename: fail,
      remove: fail,
      sha256: fail,
      sha256Of: fail,
    };
  }

  const operations: readonly (readonly [string, (files: Files) => unknown])[] = [
    ["look for /p", (files) => files.exists("/p")],
    ["list /p", (files) => files.list("/p")],
    ["read /p", (files) => files.read("/p", LIMIT)],
    ["read /p", (files) => files.readPart("/p", 0, 1)],
    ["read /p", (files) => files.open("/p", LIMIT, () => 0)],
    ["read /p", (files) => files.sha256Of("/p", LIMIT)],
    ["look for /p", (files) => files.inspect("/p")],
    ["write /p", (files) => files.write("/p", bytes(""))],
    ["write /p", (files) => files.append("/p", "")],
    ["write /p", (files) => files.flush("/p")],
    ["create /p", (files) => files.createFolder("/p")],
    ["write /p", (files) => files.flushFolder("/p")],
    ["rename /p to /q", (files) => files.rename("/p", "/q")],
    ["remove /p", (files) => files.remove("/p")],
  ];

  it.each([
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "quota"],
    ["EACCES", "permission denied"],
    ["EPERM", "permission denied"],
    ["EROFS", "read-only"],
    ["ENOTDIR", "is a file, not a folder"],
    ["EISDIR", "it is a folder, not a file"],
    ["EIO", "EIO: it is so, '/p'"],
  ])("explains %s with the path, and keeps the cause", (code, reason) => {
    const cause = systemError(code, "/p");
    for (const [what, operate] of operations) {
      try {
        operate(explainFailures(failing(cause)));
        expect.unreachable();
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        expect(error.message).toContain(`cannot ${what}: `);
        expect(error.message).toContain(reason);
        expect(error.cause).toBe(cause);
        expect(error.message.endsWith("what was saved before is untouched")).toBe(
          !/^(look|list|read)/.test(what),
        );
      }
    }
  });

  it("rethrows errors that do not come from the system", () => {
    const bug = new TypeError("a bug");
    for (const [, operate] of operations) {
      expect(() => operate(explainFailures(failing(bug)))).toThrow(bug);
    }
  });
});
