/** A start waits for the lock of another host to expire, and says so. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { awaitLease } from "../../../src/cli/shared/await-lease.ts";
import { isAlive, lockRun, processes } from "../../../src/cli/shared/process-lock.ts";
import { checkUnlocked, type Owner, RunLock } from "../../../src/run/lock.ts";
import { heartbeatFile } from "../../../src/run/lock-files.ts";
import { nodeFiles } from "../../../src/run/node-files.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-await-lease-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const since = "2026-11-27T18:00:00.000Z";

/** A run that a process of another host has locked, and a clock that moves in pauses. */
function locked(name: string, during: (pause: number) => void = () => {}) {
  const run = join(folder, name);
  const elsewhere = { pid: 1, started: "7", machine: "trainer-0", boot: "other pid:[1]", since };
  const lock = RunLock.take(run, { self: elsewhere, isAlive: () => null }, nodeFiles);
  const notes: string[] = [];
  const statuses: string[] = [];
  let ms = 0;
  let pauses = 0;
  const clock = {
    nowMs: () => ms,
    pause: async (passed: number) => {
      ms += passed;
      during(pauses++);
    },
  };
  const reporter = {
    note: (line: string) => notes.push(line),
    status: (line: string) => statuses.push(line),
  };
  return { run, lock, notes, statuses, seen: awaitLease(run, reporter, clock) };
}

it("takes over after a minute of silence, and says whose lock it is", async () => {
  const { run, lock, seen, notes, statuses } = locked("silent");
  const mine = lockRun(run, await seen);
  expect(notes).toEqual([
    `${run}: was locked by process 1 on trainer-0 (since ${since} by its clock); waiting up to 60 seconds for a sign that it is alive, to take over if there is none`,
  ]);
  expect(statuses).toHaveLength(61);
  expect(statuses[1]).toMatch(/waiting 59 s more/);
  expect(statuses.at(-1)).toBe("");
  expect(mine.owner).toMatchObject({ pid: process.pid, machine: processes().self.machine });
  expect(Date.parse(mine.owner.since ?? "")).toBeGreaterThan(0);
  expect(() => lock.guard(nodeFiles).append(join(run, "log.jsonl"), "")).toThrow(
    `process ${process.pid} on ${mine.owner.machine}`,
  );
  mine.release();
});

it("gives up at the first sign of life", async () => {
  const { run, seen, statuses } = locked("alive", (pause) => {
    if (pause === 9) writeFileSync(heartbeatFile(join(run, ".lock-1")), "000000000001");
  });
  const known = await seen;
  expect(statuses).toHaveLength(11);
  expect(() => checkUnlocked(run, known, nodeFiles)).toThrow(
    "is in use by process 1 on trainer-0 (since 2026-11-27T18:00:00.000Z by its clock); wait for it, stop it there",
  );
});

it("does not wait where no run is", async () => {
  const reporter = { note: expect.unreachable, status: (line: string) => expect(line).toBe("") };
  await awaitLease(join(folder, "nowhere"), reporter);
});

it("does not wait for a process that ended with an earlier boot of this host", async () => {
  const run = join(folder, "rebooted");
  const host = (boot: string) => ({
    pid: 1,
    started: "7",
    machine: "here",
    boot: `${boot} pid:[4026531836]`,
  });
  const before = { ...host("first"), disk: "local" };
  RunLock.take(run, { self: before, isAlive: () => null }, nodeFiles);
  const now = { ...host("second"), disk: "local" };
  const system = {
    self: now,
    isAlive: (owner: Owner, beat: string | null = null) => isAlive(owner, beat, now),
  };
  const silent = { note: expect.unreachable, status: (line: string) => expect(line).toBe("") };
  const never = { nowMs: () => 0, pause: () => expect.unreachable() };
  const seen = await awaitLease(run, silent, never, system);
  expect(lockRun(run, seen).owner).toMatchObject(now);
  expect(readdirSync(run)).toEqual([".lock-2"]);
});
