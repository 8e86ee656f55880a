import { describe, expect, test } from "vitest";
import { canRedraw, hasUnicode, wantsColor } from "../../../src/cli/terminal/colors.ts";

describe("colors", () => {
  const terminal = (colors: boolean) => ({ isTTY: true, hasColors: () => colors });

  test("follow the terminal's capabilities and are off in a file", () => {
    expect(wantsColor(terminal(true))).toBe(true);
    expect(wantsColor(terminal(false))).toBe(false);
    expect(wantsColor({})).toBe(false);
  });

  test("follow the flag regardless of the terminal", () => {
    expect(wantsColor(terminal(true), false)).toBe(false);
    expect(wantsColor({}, true)).toBe(true);
  });
});

test.each([
  ["linux", { TERM: "xterm-256color" }, true],
  ["darwin", {}, true],
  ["linux", { TERM: "linux" }, false],
  ["win32", {}, false],
  ["win32", { WT_SESSION: "1" }, true],
  ["win32", { TERM_PROGRAM: "vscode" }, true],
] as const)("Unicode on %s with %o: %s", (platform, env, expected) => {
  expect(hasUnicode(env, platform)).toBe(expected);
});

test.each([
  [{ TERM: "xterm" }, true],
  [{ TERM: "xterm", CI: "false" }, true],
  [{ TERM: "dumb" }, false],
  [{ TERM: "xterm", CI: "true" }, false],
  [{ TERM: "xterm", CI: "1" }, false],
])("a terminal with %o can redraw its lines: %s", (env, expected) => {
  expect(canRedraw({ isTTY: true }, env)).toBe(expected);
  expect(canRedraw({}, env)).toBe(false);
});
