import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesAny } from "../../src/data/file-patterns.ts";
import { DataError } from "../../src/errors.ts";

describe("patterns of files", () => {
  it.each([
    ["may.md", "*.md", true],
    ["letters/2024/may.md", "*.md", true],
    ["letters/may.md.bak", "*.md", false],
    ["letters/may.md", "letters/*.md", true],
    ["letters/2024/may.md", "letters/*.md", false],
    ["letters/2024/may.md", "letters/**/*.md", true],
    ["letters/may.md", "letters/**/*.md", true],
    ["letters/2024/may.md", "**/may.md", true],
    ["may.md", "**/may.md", true],
    ["letters/2024/may.md", "letters/**", true],
    ["other/may.md", "letters/**", false],
    ["may.md", "ma?.md", true],
    ["ma🦊.md", "ma?.md", true],
    ["may.md", "m?.md", false],
    ["may.md", "may.md", true],
    ["mayamd", "may.md", false],
    ["a[1].txt", "a[1].txt", true],
    ["May.md", "may.md", false],
  ])("%s and %s: %s", (path, pattern, matches) => {
    expect(matchesAny(path, ["no such name", pattern])).toBe(matches);
    expect(matchesAny(path, [])).toBe(false);
  });

  it("match as the regular expressions that they describe", () => {
    const name = fc
      .array(fc.constantFrom("a", "b", "."), { minLength: 1, maxLength: 6 })
      .map((all) => all.join(""));
    const part = fc
      .array(fc.constantFrom("a", "b", ".", "*", "?"), { minLength: 1, maxLength: 6 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(
        name,
        part.filter((each) => each !== "**"),
        (name, pattern) => {
          const source = pattern.replaceAll(".", "\\.").replaceAll(/\*+/g, "[^/]*").replaceAll("?", "[^/]");
          expect(matchesAny(`b/${name}`, [pattern])).toBe(new RegExp(`^${source}$`).test(name));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("take no time, however many stars they have", () => {
    expect(matchesAny("a".repeat(2000), [`${"*a".repeat(500)}b`])).toBe(false);
    expect(matchesAny("a/".repeat(500), [`${"**/a/".repeat(200)}b`])).toBe(false);
  });

  it("are not empty", () => {
    expect(() => matchesAny("a", [""])).toThrow(DataError);
  });
});
