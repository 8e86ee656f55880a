import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { breakText, columnsOf, cut, onOneLine } from "../../../src/cli/terminal/columns.ts";

const anyText = fc.string({ unit: "binary", maxLength: 60 });

test.each([
  ["plain", 5],
  ["é", 1],
  ["e\u0301", 1],
  ["中文", 4],
  ["ｗｉｄｅ", 8],
  ["🦊", 2],
  ["한", 2],
  ["\u200b\u202e", 0],
  ["⠤●┄█", 4],
])("%s occupies %d columns", (text, columns) => {
  expect(columnsOf(text)).toBe(columns);
});

test("cut returns the longest prefix that fits", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 0, max: 30 }), (text, columns) => {
      const piece = cut(text, columns);
      expect(text.startsWith(piece)).toBe(true);
      expect(columnsOf(piece)).toBeLessThanOrEqual(columns);
      const next = Array.from(text.slice(piece.length))[0];
      if (next !== undefined) expect(columnsOf(piece + next)).toBeGreaterThan(columns);
    }),
  );
});

describe("breakText", () => {
  test("breaks between words, and inside a word that is too long", () => {
    expect(breakText("one misty Sunday in Ashford", 10, 9)).toEqual(["one misty", "Sunday in", "Ashford"]);
    expect(breakText("abcdefghij kl", 4, 9)).toEqual(["abcd", "efgh", "ij", "kl"]);
    expect(breakText("中文中文", 3, 9)).toEqual(["中", "文", "中", "文"]);
    expect(breakText("a bird runs homewards", 12, 9)).toEqual(["a bird runs", "homewards"]);
    expect(breakText("a homewards", 8, 9)).toEqual(["a", "homeward", "s"]);
    expect(breakText("one two three four", 9, 2)).toEqual(["one two", "three …"]);
    expect(breakText("one two three fourth", 10, 2, "...")).toEqual(["one two", "three ..."]);
    expect(breakText("one two three", 9, 2)).toEqual(["one two", "three"]);
  });

  test("stays within the width and the number of lines", () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 5 }),
        (text, columns, most) => {
          const lines = breakText(text, columns, most);
          expect(lines.length).toBeLessThanOrEqual(most);
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});

test("onOneLine removes everything that a terminal would interpret", () => {
  expect(onOneLine("a\x1b[2Jb\r\n\n  c\u202ed\x9b", "⏎")).toBe("a\ufffd[2Jb ⏎ c\ufffdd\ufffd");
  fc.assert(
    fc.property(anyText, (text) => {
      expect(onOneLine(text, "/")).not.toMatch(/[\p{Control}\p{Format}\p{Surrogate}]/u);
    }),
  );
});
