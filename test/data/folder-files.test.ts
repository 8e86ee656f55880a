import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesIn } from "../../src/data/folder-files.ts";
import { DataError } from "../../src/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-folder-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  for (const name of ["b/deep/er", "a", ".git/objects", "empty"]) mkdirSync(at(name), { recursive: true });
  const files = ["b/deep/er/5.txt", "b/4.txt", "a/1.txt", "a.txt", ".hidden", ".git/objects/0", "a/.hidden"];
  for (const name of files) writeFileSync(at(name), name);
  symlinkSync("../a.txt", at("b/link"));
  symlinkSync("../a", at("b/folder-link"));
  symlinkSync("nowhere", at("b/broken"));
  symlinkSync("circle", at("b/circle"));
  symlinkSync("/dev/zero", at("b/endless"));
});

describe("filesIn", () => {
  it("lists files by their path: no hidden ones, no devices, none behind a link to a folder", () => {
    const found = filesIn(folder);
    expect(found.map(({ path }) => relative(folder, path))).toEqual([
      "a.txt",
      "a/1.txt",
      "b/4.txt",
      "b/deep/er/5.txt",
      "b/link",
    ]);
    expect(found.map(({ size }) => size)).toEqual([5, 7, 7, 15, 5]);
  });

  it("stops at its limit", () => {
    // Of all entries, hidden ones included.
    expect(filesIn(folder, 17)).toHaveLength(5);
    expect(() => filesIn(folder, 16)).toThrow(DataError);
    expect(() => filesIn(folder, 3)).toThrow("holds more than 3 files and folders");
  });

  it.runIf(existsSync("/proc/self/task"))("ends soon in a folder that has no end", () => {
    expect(() => filesIn("/proc", 5000)).toThrow(DataError);
  });

  it("explains a folder that cannot be listed", () => {
    expect(() => filesIn(at("a.txt"))).toThrow(
      "a.txt: cannot be read: a part of the path is a file, not a folder",
    );
  });
});
