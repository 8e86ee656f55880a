/** Locks a run for this process, by what each system tells about processes. */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { CheckpointError } from "../../errors.ts";
import { type Owner, type Processes, RunLock } from "../../run/lock.ts";

/** Takes a run; whatever way this process ends, save a kill, gives it back. Throws as `RunLock.take` does. */
export function lockRun(path: string): RunLock {
  const lock = RunLock.take(path, processes());
  process.once("exit", () => {
    try {
      lock.release();
    } catch (error) {
      // What went wrong was told already, and the lock of a dead process hinders nobody.
      if (!(error instanceof CheckpointError)) throw error;
    }
  });
  return lock;
}

/** The processes of this machine. */
export function processes(): Processes {
  const self: Owner = {
    pid: process.pid,
    started: startOf(process.pid),
    machine: hostname(),
    boot: bootOf(),
  };
  return { self, isAlive: (owner) => isAlive(owner, self) };
}

function isAlive(owner: Owner, self: Owner): boolean | null {
  if (owner.machine !== self.machine) return null;
  if (owner.boot !== self.boot) return owner.boot?.split(" ")[0] === self.boot?.split(" ")[0] ? null : false;
  if (!exists(owner.pid)) return false;
  return owner.started === null || startOf(owner.pid) === owner.started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process lives, and may not be signalled.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process started; null where it is dead, or the system does not say. */
function startOf(pid: number): string | null {
  if (process.platform === "linux") return startOnLinux(pid);
  if (process.platform === "win32") return null;
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.trim() || null;
}

/** Ticks between the machine's start and the process's; null for a process that has ended (proc(5)). */
function startOnLinux(pid: number): string | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === null) return null;
  // The second field is the program's name in brackets, which may hold brackets and spaces itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields[0], fields[19]];
  // "Z" is dead, and only its parent has not asked after it yet.
  return state === "Z" || state === "X" ? null : start;
}

/** This start of the machine, and where its processes are numbered: in a container they are numbered anew. */
function bootOf(): string | null {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const numbering = attempt(() => readlinkSync("/proc/self/ns/pid"));
  return boot === null ? null : `${boot} ${numbering ?? ""}`;
}

function attempt<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
