import { describe, expect, test } from "vitest";
import { hasUnicode, wantsColor } from "../../../src/cli/terminal/colors.ts";

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
