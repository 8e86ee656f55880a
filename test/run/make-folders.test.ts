import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeFolders } from "../../src/run/make-folders.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-make-folders-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const at = (...names: string[]) => join(temporary, ...names);

it("makes a folder and its parents, and returns those that were missing", () => {
  expect(makeFolders(at("a"))).toEqual([at("a")]);
  expect(makeFolders(at("a", "b", "c"))).toEqual([at("a", "b"), at("a", "b", "c")]);
  expect(makeFolders(at("a", "b", "c"))).toEqual([]);
  expect(makeFolders(`${at("a")}/x/../y/.`)).toEqual([at("a", "y")]);
  expect(existsSync(at("a", "x"))).toBe(false);
});

it("follows a link to a folder", () => {
  symlinkSync(makeFolders(at("elsewhere"))[0], at("link"));
  expect(makeFolders(at("link", "inner"))).toEqual([at("link", "inner")]);
  expect(existsSync(at("elsewhere", "inner"))).toBe(true);
});

it("refuses an empty name", () => {
  expect(() => makeFolders("")).toThrow("its name is empty");
});

it("names a file that is in the way", () => {
  writeFileSync(at("file"), "");
  expect(() => makeFolders(at("file"))).toThrow(/EEXIST/);
  expect(() => makeFolders(at("file", "b", "c"))).toThrow(`${at("file")} is not a folder`);
});

describe.skipIf(!existsSync("/proc/self"))("where no folder can be made", () => {
  it.each(["/proc/x", "/proc/x/y/z", "/proc/self/x"])("%s: ends, and says why", (folder) => {
    expect(() => makeFolders(folder)).toThrow(/^\/proc(\/self)? cannot hold a folder, or was deleted$/);
  });

  it.each(["x", "x/y", "./x"])("%s in a deleted folder: ends, and says why", (folder) => {
    // In a separate process, because the folder is its current one.
    const program = `
      import { mkdirSync, rmdirSync } from "node:fs";
      import { makeFolders } from ${JSON.stringify(new URL("../../dist/run/make-folders.js", import.meta.url).href)};
      mkdirSync("gone");
      process.chdir("gone");
      rmdirSync("../gone");
      try { makeFolders(${JSON.stringify(folder)}); } catch (error) { console.log(error.message); }`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: temporary,
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^the current folder cannot hold a folder, or was deleted\n$/);
  });
});
