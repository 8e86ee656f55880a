import fc from "fast-check";
import { expect, test } from "vitest";
import { withEscapes } from "../../../src/cli/options/escapes.ts";
import { ConfigError } from "../../../src/errors.ts";

test.each([
  ["plain", "plain"],
  ["a\\nb", "a\nb"],
  ["\\t\\r\\n", "\t\r\n"],
  ["\\\\n", "\\n"],
  ["\\\\\\n", "\\\n"],
  ["\\u0041\\u{1f98a}\\u{e9}", "A🦊é"],
  ["\\ud83e\\udd8a", "🦊"],
  ["", ""],
])("%j means %j", (text, expected) => {
  expect(withEscapes(text, "--stop")).toBe(expected);
});

test.each(["\\d+", "end\\", "\\u12", "\\u{110000}", "\\N", "\\U0041"])("%j is refused", (text) => {
  expect(() => withEscapes(text, "--stop")).toThrow(ConfigError);
  expect(() => withEscapes(text, "--stop")).toThrow(/^--stop: .* is no escape; .*\\\\ for a backslash/);
});

test("a doubled backslash restores any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(withEscapes(text.replaceAll("\\", "\\\\"), "--stop")).toBe(text);
    }),
  );
});
