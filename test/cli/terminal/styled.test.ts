import fc from "fast-check";
import { expect, test } from "vitest";
import { printableDrawing, renderSpans, styled } from "../../../src/cli/terminal/styled.ts";
import { ACTIVE_TEXT, activeIn } from "../../support/active-characters.ts";

const GREEN = "\u001b[32mgo\u001b[39m";

test("styles surround text that was made printable", () => {
  expect(renderSpans([styled("green", "go"), " on", styled("bold", "!")], true)).toBe(
    `${GREEN} on\u001b[1m!\u001b[22m`,
  );
  expect(renderSpans([styled("green", "go"), styled(null, " on"), styled("bold", "")], false)).toBe("go on");
  const hostile = renderSpans([ACTIVE_TEXT, styled("red", ACTIVE_TEXT)], true);
  expect(hostile.split("\u001b")).toHaveLength(3);
  expect(activeIn(hostile.replace("\u001b[31m", "").replace("\u001b[39m", ""))).toEqual([]);
});

test("a drawing keeps its styles and nothing else that acts", () => {
  expect(printableDrawing(`${GREEN}\u001b[2J\u001b[5m\u009b1m`)).toBe(`${GREEN}\ufffd[2J\ufffd[5m\ufffd1m`);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(GREEN, "\u001b[", "31", "m", ";", "\u009b", "\u202e", "a")),
      (parts) => {
        const shown = printableDrawing(parts.join(""));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that the program writes
        expect(activeIn(shown.replace(/\u001b\[(?:1|2|22|3[1-6]|39|90)m/g, ""))).toEqual([]);
      },
    ),
  );
});
