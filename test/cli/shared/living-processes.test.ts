/** The detection of living processes. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isAlive as isAliveFor, processes } from "../../../src/cli/shared/process-lock.ts";
import type { Owner } from "../../../src/run/lock.ts";

describe("a process", () => {
  const { self, isAlive } = processes();

  it("is alive while it runs, and dead when it has ended", () => {
    expect(isAlive(self)).toBe(true);
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(isAlive({ ...self, pid, started: "1" })).toBe(false);
  });

  it.runIf(process.platform === "linux")("differs from a later one with the same PID", () => {
    expect(isAlive({ ...self, started: "1" })).toBe(false);
    expect(isAlive({ ...self, boot: "00000000-0000-0000-0000-000000000000 pid:[1]" })).toBe(false);
    expect(isAlive({ ...self, boot: `${self.boot?.split(" ")[0]} pid:[1]` })).toBeNull();
    expect(isAlive({ ...self, machine: "elsewhere" })).toBeNull();
  });
});

describe("a process of an earlier boot", () => {
  const HOST = "pid:[4026531836]";
  const CONTAINER = "pid:[4026532205]";
  const owner: Owner = { pid: 7, started: "5", machine: "here", boot: `first ${HOST}`, disk: "local" };
  const self: Owner = { ...owner, pid: 11, boot: `second ${HOST}` };

  it("is dead if its system and this one have the run on a local disk, whatever its lock says", () => {
    expect(isAliveFor(owner, "000000000003", self)).toBe(false);
  });

  it.each([
    ["its system reached the run over a network", { disk: "shared" }, {}],
    ["this system reaches it so", {}, { disk: "shared" }],
    ["its lock does not say", { disk: undefined }, {}],
    ["the run is not known here", {}, { disk: undefined }],
    ["it was in a container, whose boot id may be its own", { boot: `first ${CONTAINER}` }, {}],
    ["this one is", {}, { boot: `second ${CONTAINER}` }],
    ["it was another container of this boot", { boot: `second ${CONTAINER}` }, {}],
    ["its system has no boot ids", { boot: null }, {}],
    ["this one has none", {}, { boot: null }],
    ["it was on another host", { machine: "elsewhere" }, {}],
  ])("may be alive if %s", (_, theirs, mine) => {
    expect(isAliveFor({ ...owner, ...theirs }, "000000000003", { ...self, ...mine })).toBeNull();
  });
});
