import { posix } from "node:path";
import { expect, it } from "vitest";
import { joinPath, lastPart, parentPath, withoutEnd } from "../../src/util/paths.ts";

const PATHS = ["/run", "run", "a/b", "/a/b/", "a//b///", "/", "a b/ü", ".", "./a", "../a", "a.b/.c"];

it.each(PATHS)("%s: the parts are those of Node's posix functions", (path) => {
  expect(lastPart(path)).toBe(posix.basename(path));
  expect(posix.resolve(parentPath(path))).toBe(posix.resolve(posix.dirname(path)));
  expect(posix.normalize(joinPath(path, "x"))).toBe(posix.join(path, "x"));
});

it("joins with one slash, and leaves out empty parts", () => {
  expect(joinPath("a", "b", "c")).toBe("a/b/c");
  expect(joinPath("a/", "b")).toBe("a/b");
  expect(joinPath("", "a", "", "b")).toBe("a/b");
  expect(joinPath("/", "a")).toBe("/a");
  expect(joinPath()).toBe("");
});

it("splits at the separators of Windows too", () => {
  expect(lastPart("C:\\runs\\my-1\\step-000500\\")).toBe("step-000500");
  expect(parentPath("C:\\runs\\my-1\\step-000500\\")).toBe("C:\\runs\\my-1");
  expect(lastPart("C:\\runs/my-1")).toBe("my-1");
  expect(joinPath("C:\\runs\\", "my-1")).toBe("C:\\runs\\my-1");
});

it("removes separators at the end, but not a root", () => {
  expect(["a/", "a//", "a", "/a/", "/", "a\\"].map(withoutEnd)).toEqual(["a", "a", "a", "/a", "/", "a"]);
});
