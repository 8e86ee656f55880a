import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Terminal } from "../../../src/cli/terminal/output.ts";
import { styled } from "../../../src/cli/terminal/styled.ts";
import { ACTIVE_TEXT, activeIn } from "../../support/active-characters.ts";

let written = "";

beforeEach(() => {
  written = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "on").mockReturnValue(stream);
    vi.spyOn(stream, "write").mockImplementation((text) => {
      written += text;
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a function while stdout seems to be a terminal, or a pipe. */
function onTerminal(isTTY: boolean, body: (terminal: Terminal) => void): string {
  const before = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
  Object.defineProperty(process.stdout, "isTTY", { value: isTTY, configurable: true });
  try {
    body(new Terminal());
    return written;
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.stdout, "isTTY");
    else Object.defineProperty(process.stdout, "isTTY", before);
  }
}

describe("text of a model", () => {
  test("goes into a pipe as it is, and to a terminal printable", () => {
    expect(onTerminal(false, (terminal) => terminal.text(`${ACTIVE_TEXT}\r\n`))).toBe(`${ACTIVE_TEXT}\r\n`);
    written = "";
    const shown = onTerminal(true, (terminal) => {
      for (const character of `${ACTIVE_TEXT}\n\tend`) terminal.text(character);
    });
    expect(shown).toMatch(/^evil.*\n\tend$/su);
    // A joiner alone joins nothing.
    expect(activeIn(shown)).toEqual([]);
  });

  test("breaks lines at CR, LF and CRLF, also between two pieces", () => {
    const pieces = ["a\r\nb\rc\n", "d\r", "\ne\r", "f\r", "", "\ng"];
    expect(
      onTerminal(true, (terminal) => {
        for (const piece of pieces) terminal.text(piece);
      }),
    ).toBe("a\nb\nc\nd\ne\nf\ng");
  });
});

test.each<[string, (terminal: Terminal) => void]>([
  ["write", (terminal) => terminal.write(ACTIVE_TEXT)],
  ["line", (terminal) => terminal.line(ACTIVE_TEXT)],
  ["note", (terminal) => terminal.note(ACTIVE_TEXT)],
  ["note in pieces", (terminal) => terminal.note([ACTIVE_TEXT, styled("red", ACTIVE_TEXT)])],
  ["json", (terminal) => terminal.json({ [ACTIVE_TEXT]: ACTIVE_TEXT })],
])("%s writes nothing that acts, into a pipe either", (_name, say) => {
  const shown = onTerminal(false, say);
  expect(shown).toContain("evil");
  expect(activeIn(shown)).toEqual([]);
});

test("a drawing keeps colors only", () => {
  const shown = onTerminal(true, (terminal) => terminal.drawing(`\u001b[32mo\u001b[39m\u001b[2J`));
  expect(shown).toBe("\u001b[32mo\u001b[39m\ufffd[2J\n");
});
