/** One program at a time writes to a run; the locks of dead ones are ignored. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { RunDirectory } from "../../src/run/directory.ts";
import { holderOf, type Owner, type Processes, RunLock } from "../../src/run/lock.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { attempt } from "./attempt.ts";
import { FailingFiles, Killed } from "./failing-files.ts";
import { interrupted } from "./interrupted-files.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-run-lock-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** Processes of one machine, alive until they are ended. */
class Machine {
  readonly dead = new Set<number>();
  as(pid: number): Processes {
    const self: Owner = { pid, started: `at ${pid}`, machine: "here", boot: "first" };
    const isAlive = (owner: Owner) => (owner.machine === "here" ? !this.dead.has(owner.pid) : null);
    return { self, isAlive };
  }
}

let made = 0;

describe.each([
  { name: "on disk", setUp: () => ({ files: nodeFiles, path: join(temporary, `run-${made++}`) }) },
  { name: "in memory", setUp: () => ({ files: new MemoryFiles(), path: "/runs/one" }) },
])("RunLock $name", ({ setUp }) => {
  it("rejects a directory locked by a living process, and leaves nothing after release", () => {
    const { files, path } = setUp();
    const machine = new Machine();
    const lock = RunLock.take(path, machine.as(7), files);
    expect(holderOf(path, machine.as(11), files)?.owner.pid).toBe(7);
    expect(() => RunLock.take(path, machine.as(11), files)).toThrow(
      `${path}: is in use by process 7; wait for it, stop it, or choose another folder with \`out\``,
    );
    lock.release();
    lock.release();
    expect(files.list(path)).toEqual([]);
    expect(holderOf(path, machine.as(11), files)).toBeNull();
    RunLock.take(path, machine.as(11), files).release();
  });

  it("takes over from dead processes repeatedly, and a lock does not count as content", () => {
    const { files, path } = setUp();
    const machine = new Machine();
    for (const pid of [7, 11, 13]) {
      RunLock.take(path, machine.as(pid), files);
      expect(() => RunLock.take(path, machine.as(17), files)).toThrow(CheckpointError);
      machine.dead.add(pid);
      expect(holderOf(path, machine.as(17), files)).toBeNull();
    }
    RunLock.take(path, machine.as(17), files);
    expect(files.list(path)).toEqual([".lock-4"]);
    RunDirectory.create(path, {}, { files });
  });

  it("takes over a lock whose contents were lost", () => {
    const { files, path } = setUp();
    const machine = new Machine();
    RunLock.take(path, machine.as(7), files);
    files.write(join(path, ".lock-1", "owner.json"), new Uint8Array(0));
    RunLock.take(path, machine.as(11), files);
    expect(holderOf(path, machine.as(7), files)?.owner.pid).toBe(11);
  });

  it("removes what killed processes prepared, and nothing of living ones", () => {
    const { files, path } = setUp();
    const machine = new Machine();
    for (const pid of [7, 11, 13, 17]) files.createFolder(join(path, `.lock-of-${pid}`));
    const owner = (pid: number) => new TextEncoder().encode(JSON.stringify(machine.as(pid).self));
    for (const pid of [7, 11]) files.write(join(path, `.lock-of-${pid}`, "owner.json"), owner(pid));
    for (const pid of [7, 13]) machine.dead.add(pid);
    RunLock.take(path, machine.as(19), files).release();
    expect(files.list(path)).toEqual([".lock-of-11", ".lock-of-17"]);
  });

  it.each([
    ["a number that none reaches", ".lock-999999999999999", { pid: 7 }],
    ["a number of many digits", ".lock-99999999999999999999", { pid: 7 }],
    ["a process id that none has", ".lock-1", { pid: 999_999_999_999_999 }],
    ["no process id", ".lock-1", { pid: null }],
  ])("refuses a lock with %s, and says what to do", (_, name, change) => {
    const { files, path } = setUp();
    const machine = new Machine();
    files.createFolder(join(path, name));
    const owner = JSON.stringify({ ...machine.as(7).self, ...change });
    files.write(join(path, name, "owner.json"), new TextEncoder().encode(owner));
    expect(() => RunLock.take(path, machine.as(11), files)).toThrow(
      `${join(path, name)}: is not a lock that nopeek made; if no process trains this run, remove it`,
    );
    expect(files.list(path)).toEqual([name]);
  });

  it("gives advice about a process of another host", () => {
    const { files, path } = setUp();
    const machine = new Machine();
    const self = { ...machine.as(7).self, machine: "elsewhere", since: "2026-11-27T18:00:00.000Z" };
    RunLock.take(path, { self, isAlive: () => true }, files);
    const lock = join(path, ".lock-1");
    expect(() => RunLock.take(path, machine.as(11), files)).toThrow(
      `${path}: is in use by process 7 on elsewhere (since 2026-11-27T18:00:00.000Z by its clock); wait for it, stop it there, or choose another folder with \`out\`. It can be taken over once its lock, ${lock}, has not changed for 60 seconds`,
    );
    // Earlier versions wrote no heartbeat.
    files.remove(join(lock, "heartbeat"));
    expect(() => RunLock.take(path, machine.as(11), files)).toThrow(
      `is in use by process 7, a process on elsewhere, which cannot be seen from here; if it has ended, remove ${lock}`,
    );
  });
});

describe("two processes that lock a directory at the same time", () => {
  it.each([0, 1, 2])("exactly one succeeds, wherever one is interrupted, with %i dead locks", (dead) => {
    for (let at = 0; at < 40; at++) {
      const files = new MemoryFiles();
      const machine = new Machine();
      for (let pid = 101; pid < 101 + dead; pid++) {
        RunLock.take("/run", machine.as(pid), files);
        machine.dead.add(pid);
      }
      const locks: (RunLock | null)[] = [];
      const other = () => locks.push(attempt(() => RunLock.take("/run", machine.as(11), files)));
      const slow = interrupted(files, at, other);
      locks.push(attempt(() => RunLock.take("/run", machine.as(7), slow)));
      const held = locks.filter((lock) => lock !== null);
      expect(held, `at ${at}`).toHaveLength(1);
      expect(attempt(() => RunLock.take("/run", machine.as(13), files))).toBeNull();
    }
  });

  it("never two succeed, if one locks and releases meanwhile and a third follows", () => {
    for (let at = 0; at < 40; at++) {
      const files = new MemoryFiles();
      const machine = new Machine();
      RunLock.take("/run", machine.as(101), files);
      machine.dead.add(101);
      const locks: (RunLock | null)[] = [];
      const others = () => {
        attempt(() => RunLock.take("/run", machine.as(11), files))?.release();
        locks.push(attempt(() => RunLock.take("/run", machine.as(13), files)));
      };
      locks.push(attempt(() => RunLock.take("/run", machine.as(7), interrupted(files, at, others))));
      expect(locks.filter((lock) => lock !== null).length, `at ${at}`).toBeLessThanOrEqual(1);
    }
  });
});

it("a process killed at any moment of locking or releasing blocks no other", () => {
  for (let budget = 0; ; budget++) {
    const files = new MemoryFiles();
    const machine = new Machine();
    const failing = new FailingFiles(files, "killed", budget);
    try {
      RunLock.take("/run", machine.as(7), failing).release();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    machine.dead.add(7);
    RunLock.take("/run", machine.as(11), files);
    expect(holderOf("/run", machine.as(13), files)?.owner.pid).toBe(11);
    if (failing.survived) break;
  }
});
