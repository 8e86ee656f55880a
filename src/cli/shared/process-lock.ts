/** Locks a run for this process, with what each operating system reports about processes. */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import { CheckpointError } from "../../errors.ts";
import { BEAT_MS } from "../../run/lease.ts";
import { type Owner, type Processes, RunLock } from "../../run/lock.ts";
import { encodeOwner, HEARTBEAT_DIGITS, heartbeatFile, ownerFile } from "../../run/lock-files.ts";
import { nodeFiles } from "../../run/node-files.ts";
import { isOnLocalDisk } from "./local-disk.ts";

/**
 * Linux's name of the first PID namespace, which is that of no container. A container may have another boot id than its
 * host: systemd-nspawn and LXC give it one. Source: PROC_PID_INIT_INO in linux/proc_ns.h.
 */
const FIRST_NUMBERING = " pid:[4026531836]";

/**
 * Locks a run until the lock is released or this process exits. Meanwhile other hosts see that this process is alive.
 * Throws as `RunLock.take` does.
 *
 * @param seen what is known of processes, after `awaitLease`
 */
export function lockRun(path: string, seen: Processes = processes(path)): RunLock {
  const self = { ...seen.self, since: new Date().toISOString() };
  const lock = RunLock.take(path, { ...seen, self }, nodeFiles);
  startHeartbeat(lock);
  process.once("exit", () => {
    try {
      lock.release();
    } catch (error) {
      // The cause was reported already, and the lock of a dead process is ignored.
      if (!(error instanceof CheckpointError)) throw error;
    }
  });
  return lock;
}

function startHeartbeat({ path, owner }: RunLock): void {
  const heart = new Worker(new URL("../../run/heartbeat-thread.js", import.meta.url), {
    workerData: {
      ownerFile: ownerFile(path),
      owner: new TextDecoder().decode(encodeOwner(owner)),
      heartbeatFile: heartbeatFile(path),
      beatMs: BEAT_MS,
      digits: HEARTBEAT_DIGITS,
    },
  });
  heart.unref();
}

/**
 * The processes of this machine.
 *
 * @param run the run whose locks are asked about: on a disk of this system alone, more is known of them
 */
export function processes(run?: string, self = thisProcess()): Processes {
  const here = run === undefined ? self : { ...self, disk: isOnLocalDisk(run) ? "local" : "shared" };
  return { self: here, isAlive: (owner, heartbeat = null) => isAlive(owner, heartbeat, here) };
}

/** This process, as a lock names it. */
export function thisProcess(): Owner {
  return { pid: process.pid, started: startOf(process.pid), machine: hostname(), boot: bootOf() };
}

/** Whether the process of a lock is alive, as `self` sees it; null if that cannot be determined. */
export function isAlive(owner: Owner, heartbeat: string | null, self: Owner): boolean | null {
  if (owner.machine !== self.machine) return null;
  if (owner.boot !== self.boot) {
    const sameBoot = owner.boot?.split(" ")[0] === self.boot?.split(" ")[0];
    if (!sameBoot && (heartbeat === null || endedWithItsBoot(owner, self))) return false;
    // Perhaps another machine or container with the same name, as pods can have: its heartbeat decides.
    return null;
  }
  if (!exists(owner.pid)) return false;
  return owner.started === null || startOf(owner.pid) === owner.started;
}

/**
 * Whether an owner of another boot must have ended: its system and this one each need the disk of the run for themselves,
 * so they do not run at the same time.
 */
function endedWithItsBoot(...both: readonly Owner[]): boolean {
  return both.every(({ boot, disk }) => disk === "local" && boot?.endsWith(FIRST_NUMBERING));
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is alive, and may not be signaled.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process started; null if it is dead or the system does not report it. */
function startOf(pid: number): string | null {
  if (process.platform === "linux") return startOnLinux(pid);
  if (process.platform === "win32") return null;
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.trim() || null;
}

/** Ticks from the boot of the machine to the start of the process; null if it has ended. Source: proc(5). */
function startOnLinux(pid: number): string | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === null) return null;
  // The second field is the program's name in parentheses, which may itself contain parentheses and spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields[0], fields[19]];
  // "Z" is dead, but its parent has not waited for it yet.
  return state === "Z" || state === "X" ? null : start;
}

/** Identifies the boot of the machine and the PID namespace, since a container numbers its processes anew. */
function bootOf(): string | null {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const numbering = attempt(() => readlinkSync("/proc/self/ns/pid"));
  return boot === null ? null : `${boot} ${numbering ?? ""}`;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
