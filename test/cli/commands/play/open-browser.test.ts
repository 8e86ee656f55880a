/** How `nopeek play` opens a browser. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { openBrowser, openerFor } from "../../../../src/cli/commands/play/open-browser.ts";
import { makeFolder } from "../../../support/program.ts";

const folder = makeFolder();
const ADDRESS = "http://127.0.0.1:6673/";

test.each([
  ["linux", { DISPLAY: ":0" }, ["xdg-open"]],
  ["linux", { WAYLAND_DISPLAY: "wayland-0" }, ["xdg-open"]],
  ["linux", {}, null],
  ["linux", { DISPLAY: "" }, null],
  ["freebsd", { DISPLAY: ":0" }, ["xdg-open"]],
  ["darwin", {}, ["open"]],
  ["win32", {}, ["cmd", "/c", "start", ""]],
  ["darwin", { BROWSER: "none" }, null],
  ["linux", { DISPLAY: ":0", BROWSER: "firefox" }, ["xdg-open"]],
])("on %s with %j: %j", (platform, environment, opener) => {
  expect(openerFor(platform, environment)).toEqual(opener);
});

describe.skipIf(process.platform === "win32")("the opener", () => {
  function script(name: string, body: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test("receives the address as its last argument", async () => {
    const file = join(folder, "arguments");
    const opener = script("opener", `printf '%s,' "$@" > ${file}.part; mv ${file}.part ${file}`);
    const failed = vi.fn();
    openBrowser([opener, "first"], ADDRESS, failed);
    await vi.waitFor(() => expect(existsSync(file)).toBe(true), 30_000);
    expect(readFileSync(file, "utf8")).toBe(`first,${ADDRESS},`);
    expect(failed).not.toHaveBeenCalled();
  });

  test("that is missing or fails is reported once, with its reason", async () => {
    const failed = vi.fn();
    openBrowser(["no-such-opener"], ADDRESS, failed);
    await vi.waitFor(() => expect(failed).toHaveBeenCalled(), 30_000);
    openBrowser([script("failing", "exit 3")], ADDRESS, failed);
    await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(2), 30_000);
    expect(failed.mock.calls.map(([reason]) => reason)).toEqual([
      "spawn no-such-opener ENOENT",
      expect.stringMatching(/failing ended with 3$/),
    ]);
  });
});
