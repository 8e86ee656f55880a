/** Locks of other hosts: one that has not changed for a minute is taken over, by one process, and its holder stops. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { RunDirectory } from "../../src/run/directory.ts";
import type { Files } from "../../src/run/files.ts";
import { LEASE_MS, LeaseWatch, LOOK_MS } from "../../src/run/lease.ts";
import { holderOf, type Owner, type Processes, RunLock } from "../../src/run/lock.ts";
import { encodeOwner, heartbeat, heartbeatFile, ownerFile } from "../../src/run/lock-files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { attempt } from "./attempt.ts";
import { FailingFiles, Killed } from "./failing-files.ts";
import { interrupted } from "./interrupted-files.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-lease-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const RUN = "/run";
const SECONDS = LEASE_MS / LOOK_MS;

/** A process with PID 1, as in most containers: the system of another host does not know it. */
function on(machine: string): Processes {
  const self: Owner = { pid: 1, started: "0", machine, boot: `boot of ${machine}` };
  return { self, isAlive: (owner) => (owner.machine === machine ? true : null) };
}

/** What the heartbeat thread does. */
function beat(files: Files, lock: RunLock, beats: number): void {
  files.write(heartbeatFile(lock.path), new TextEncoder().encode(heartbeat(beats)));
}

/** Looks every second until there is nothing to wait for. Returns how often it looked again, and what is known then. */
function watched(files: Files, from: Processes, meanwhile: (look: number) => void = () => {}) {
  const watch = new LeaseWatch(RUN, from, files);
  let looks = 0;
  for (; watch.look(looks * LOOK_MS) !== null; looks++) meanwhile(looks);
  return { looks, seen: watch.processes };
}

/** Whether a process may still write to the run. */
function mayWrite(files: Files, lock: RunLock): boolean {
  try {
    lock.guard(files).append(`${RUN}/log.jsonl`, lock.owner.machine);
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

describe("a lock of another host", () => {
  it("is taken over when it has not changed for a minute, and not a second earlier", () => {
    const files = new MemoryFiles();
    RunLock.take(RUN, on("a"), files);
    const { looks, seen } = watched(files, on("b"), () => {
      expect(() => RunLock.take(RUN, on("b"), files)).toThrow("is in use by process 1 on a");
    });
    expect(looks).toBe(SECONDS);
    expect(holderOf(RUN, seen, files)).toBeNull();
    RunLock.take(RUN, seen, files);
    expect(files.list(RUN)).toEqual([".lock-2"]);
    RunDirectory.create(RUN, {}, { files });
  });

  it("is not taken over if it changes, late or after the minute", () => {
    const files = new MemoryFiles();
    const held = RunLock.take(RUN, on("a"), files);
    const late = watched(files, on("b"), (look) => look === SECONDS - 1 && beat(files, held, 1));
    expect(late.looks).toBe(SECONDS);
    expect(attempt(() => RunLock.take(RUN, late.seen, files))).toBeNull();
    const { seen } = watched(files, on("b"));
    beat(files, held, 2);
    expect(attempt(() => RunLock.take(RUN, seen, files))).toBeNull();
    expect(mayWrite(files, held)).toBe(true);
  });

  it("is waited for longer if the waiting process was paused, or the disk did not answer", () => {
    const files = new MemoryFiles();
    RunLock.take(RUN, on("a"), files);
    const watch = new LeaseWatch(RUN, on("b"), files);
    expect(watch.look(0)).toMatchObject({ owner: { machine: "a" } });
    expect(watch.look(1e9)).not.toBeNull();
    expect(watch.silentMs).toBe(2 * LOOK_MS);
  });

  it("is free at once when its holder releases it, and is not waited for on the same host", () => {
    const files = new MemoryFiles();
    const held = RunLock.take(RUN, on("a"), files);
    expect(watched(files, on("a")).looks).toBe(0);
    const { looks, seen } = watched(files, on("b"), (look) => look === 5 && held.release());
    expect(looks).toBe(6);
    RunLock.take(RUN, seen, files);
  });

  it("is not waited for without a heartbeat, as earlier versions left it", () => {
    const files = new MemoryFiles();
    const { path } = RunLock.take(RUN, on("a"), files);
    files.remove(heartbeatFile(path));
    const { looks, seen } = watched(files, on("b"));
    expect(looks).toBe(0);
    expect(attempt(() => RunLock.take(RUN, seen, files))).toBeNull();
  });
});

describe("a process that another host took over from", () => {
  it("says so and changes nothing, and does not release the lock of the other", () => {
    const files = new MemoryFiles();
    const slow = RunLock.take(RUN, on("a"), files);
    const directory = RunDirectory.create(RUN, { steps: 1 }, { files: slow.guard(files) });
    directory.appendLog({ kind: "step", step: 1 });
    const since = "2026-11-27T18:00:00.000Z";
    const { isAlive, self } = watched(files, on("b")).seen;
    const taken = RunLock.take(RUN, { self: { ...self, since }, isAlive }, files);
    const log = files.read(`${RUN}/log.jsonl`, 1e6);
    for (const change of [
      () => directory.appendLog({ kind: "step", step: 2 }),
      () => directory.changeConfig({ steps: 2 }),
      () => directory.saveStep({ step: 1, best: true, model: new Map(), optimizer: new Map(), state: {} }),
    ]) {
      expect(change).toThrow(
        `/run: process 1 on b (since ${since} by its clock) has taken it over, since this process did not show for 60 seconds that it runs`,
      );
    }
    expect(files.read(`${RUN}/log.jsonl`, 1e6)).toEqual(log);
    expect(directory.config).toEqual({ steps: 1 });
    expect(files.list(RUN)).toEqual([".lock-2", "config.json", "log.jsonl"]);
    slow.release();
    expect(mayWrite(files, taken)).toBe(true);
    taken.release();
    // The numbers start again: the lock of a third is not that of the first.
    expect(RunLock.take(RUN, on("c"), files).path).toBe(slow.path);
    expect(mayWrite(files, slow)).toBe(false);
    slow.release();
    expect(holderOf(RUN, on("c"), files)?.owner.machine).toBe("c");
  });

  it("never writes after the other has the lock, whenever it wakes up", () => {
    for (let at = 0; at < 40; at++) {
      const files = new MemoryFiles();
      const slow = RunLock.take(RUN, on("a"), files);
      const { seen } = watched(files, on("b"));
      const wakes = () => mayWrite(files, slow) && beat(files, slow, 1);
      const taken = attempt(() => RunLock.take(RUN, seen, interrupted(files, at, wakes)));
      expect(
        [slow, taken].filter((lock) => lock !== null && mayWrite(files, lock)),
        `at ${at}`,
      ).toHaveLength(1);
    }
  });
});

describe("two hosts that take over at the same time", () => {
  it("never both succeed, wherever one is interrupted", () => {
    for (let at = 0; at < 40; at++) {
      const files = new MemoryFiles();
      RunLock.take(RUN, on("a"), files);
      const [b, c] = ["b", "c"].map((machine) => watched(files, on(machine)).seen);
      const locks: (RunLock | null)[] = [];
      const other = () => locks.push(attempt(() => RunLock.take(RUN, c, files)));
      locks.push(attempt(() => RunLock.take(RUN, b, interrupted(files, at, other))));
      const writers = locks.filter((lock) => lock !== null && mayWrite(files, lock));
      expect(writers, `at ${at}`).toHaveLength(1);
    }
  });

  it("do not disturb each other with equal PIDs, wherever both are interrupted", () => {
    for (let at = 0; at < 12; at++) {
      for (let budget = 0; budget < 12; budget++) {
        const files = new MemoryFiles();
        // It stops for good in the middle of its work, as if it were very slow.
        const other = () => {
          try {
            attempt(() => RunLock.take(RUN, on("c"), new FailingFiles(files, "killed", budget)));
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          }
        };
        const lock = attempt(() => RunLock.take(RUN, on("b"), interrupted(files, at, other)));
        // The other ends before it has a lock.
        expect(lock !== null && mayWrite(files, lock), `at ${at}, after ${budget}`).toBe(true);
      }
    }
  });

  it("never both succeed as processes on a disk", async () => {
    const racers = ["b", "c"].map((machine) =>
      fork(fileURLToPath(new URL("./take-over.ts", import.meta.url)), [machine], {
        execArgv: ["--import", "tsx"],
      }),
    );
    const answers = () => Promise.all(racers.map(async (racer) => (await once(racer, "message"))[0]));
    await answers();
    const wins: boolean[][] = [];
    for (let round = 0; round < 10; round++) {
      const run = join(temporary, `raced-${round}`);
      RunLock.take(run, on("a"), nodeFiles);
      for (const racer of racers) racer.send(run);
      wins.push(await answers());
    }
    for (const racer of racers) racer.disconnect();
    // Each may find the other's lock before the other gives it up: then neither succeeds.
    expect(wins.some((won) => won.includes(true))).toBe(true);
    expect(wins.filter((won) => !won.includes(false))).toEqual([]);
  });
});

describe("the heartbeat thread", () => {
  const start = ({ path, owner }: RunLock) =>
    new Worker(new URL("../../src/run/heartbeat-thread.js", import.meta.url), {
      workerData: {
        ownerFile: ownerFile(path),
        owner: new TextDecoder().decode(encodeOwner(owner)),
        heartbeatFile: heartbeatFile(path),
        beatMs: 1,
      },
    });
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  /** Waits for a change without a turn of the event loop, as a long step does. */
  function changes(file: string): boolean {
    const before = nodeFiles.read(file, 100).toString();
    for (let i = 0; i < 4000; i++) {
      Atomics.wait(blocked, 0, 0, 1);
      if (nodeFiles.read(file, 100).toString() !== before) return true;
    }
    return false;
  }

  it("changes the lock while the program computes, and not the lock of another", async () => {
    const run = join(temporary, "beating");
    const lock = RunLock.take(run, on("a"), nodeFiles);
    const thread = start(lock);
    expect(changes(heartbeatFile(lock.path))).toBe(true);
    expect(nodeFiles.read(heartbeatFile(lock.path), 100)).toHaveLength(heartbeat(0).length);
    const ended = new Promise((resolve) => thread.once("exit", resolve));
    writeFileSync(ownerFile(lock.path), encodeOwner(on("b").self));
    // Without its timer the thread has nothing left to do.
    expect(await ended).toBe(0);
  });
});
