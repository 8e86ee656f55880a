import { describe, expect, test } from "vitest";
import { hasUnicode, wantsColor } from "../../../src/cli/terminal/colors.ts";

describe("colors", () => {
  const terminal = (colors: boolean) => ({ isTTY: true, hasColors: () => colors });

  test("are as the terminal says, and none go to a file", () => {
    expect(wantsColor(terminal(true))).toBe(true);
    expect(wantsColor(terminal(false))).toBe(false);
    expect(wantsColor({})).toBe(false);
  });

  test("are as the flag says, whatever the terminal says", () => {
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
