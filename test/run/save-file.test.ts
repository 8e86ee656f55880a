import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { saveFile } from "../../src/run/save-file.ts";
import { errorCode } from "../../src/util/failure-reason.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-save-file-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const at = (name: string) => join(temporary, name);

it("writes a file, and replaces it", () => {
  saveFile(at("page"), "long text");
  saveFile(at("page"), Uint8Array.of(104, 105));
  expect(readFileSync(at("page"), "utf8")).toBe("hi");
});

it("writes through no link, neither at the path nor at the temporary name", () => {
  saveFile(at("precious"), "mine");
  symlinkSync("precious", at("report"));
  symlinkSync("precious", at("report.partial"));
  saveFile(at("report"), "new");
  expect(readFileSync(at("precious"), "utf8")).toBe("mine");
  expect(readFileSync(at("report"), "utf8")).toBe("new");
  expect(lstatSync(at("report")).isFile()).toBe(true);
  expect(readdirSync(temporary)).not.toContain("report.partial");
});

it("leaves no temporary file behind when it fails", () => {
  mkdirSync(at("folder"));
  const codeOf = (path: string) => {
    try {
      saveFile(path, "x");
    } catch (error) {
      return errorCode(error);
    }
    return null;
  };
  expect(codeOf(at("folder"))).toBe("EISDIR");
  expect(codeOf(join(at("none"), "file"))).toBe("ENOENT");
  expect(readdirSync(temporary).filter((name) => name.endsWith(".partial"))).toEqual([]);
});
