import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, printableJson, printableLine } from "../../src/util/printable.ts";
import { ACTIVE_TEXT, activeIn, isActive } from "../support/active-characters.ts";

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.constant(ACTIVE_TEXT));

describe("printable", () => {
  test("replaces every active character of Unicode, and no other", () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      const expected = isActive(character) ? "\ufffd" : character;
      if (printable(character) !== expected) expect(code.toString(16)).toBe(expected);
    }
  });

  test("leaves nothing that acts, and keeps line feeds and tabs", () => {
    expect(activeIn(printable(ACTIVE_TEXT))).toEqual([]);
    expect(printable("a\nb\tc")).toBe("a\nb\tc");
    expect(printableLine("a\nb\tc\r")).toBe("a\ufffdb\ufffdc\ufffd");
    fc.assert(
      fc.property(anyText, (text) => {
        expect(activeIn(printable(text))).toEqual([]);
      }),
    );
  });

  test("keeps joiners in scripts and emoji that need them, and replaces those next to ASCII", () => {
    const persian = "می\u200cخواهم";
    const family = "👩\u200d👧";
    expect(printable(persian)).toBe(persian);
    expect(printable(family)).toBe(family);
    expect(printable("pa\u200dss")).toBe("pa\ufffdss");
    expect(printable("\u06ddé中")).toBe("\u06ddé中");
  });
});

describe("printableJson", () => {
  test("contains nothing that acts, and parses to the same value", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = printableJson({ [text]: [text] });
        expect(activeIn(json)).toEqual([]);
        expect(json).not.toContain("\n");
        expect(JSON.parse(json)).toEqual({ [text]: [text] });
      }),
    );
    expect(printableJson("\u009b\u{e0041}é")).toBe('"\\u009b\\udb40\\udc41é"');
  });
});
