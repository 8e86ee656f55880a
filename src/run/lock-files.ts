/**
 * The files of a lock: who holds it, and a number that its holder keeps changing.
 *
 *   .lock-3/owner.json    the process that holds it; the lock with the highest number counts
 *   .lock-3/heartbeat     changes every `BEAT_MS` while that process lives (heartbeat-thread.js)
 */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { errorCode } from "../util/failure-reason.ts";
import { joinPath } from "../util/paths.ts";
import type { Files } from "./files.ts";
import { encodeJSON } from "./json.ts";

/** No system numbers its processes higher. */
const MOST_PID = 2 ** 31 - 1;

const ownerLayout = z.strictObject({
  pid: z.int().check(z.minimum(1), z.maximum(MOST_PID)),
  /** When the process started, in the notation of its system; null if unknown. */
  started: z.nullable(z.string()),
  /** The host name. */
  machine: z.string(),
  /** Identifies the boot of the machine and the PID namespace; null if unknown. */
  boot: z.nullable(z.string()),
  /** "local" if the run is on a disk that no other system can use at the same time, as its own system says. */
  disk: z.optional(z.string()),
  /** When it took the lock, by the clock of its machine: for people only. */
  since: z.optional(z.string()),
});

/** A process, distinguishable from a later one with the same PID. */
export type Owner = Readonly<z.infer<typeof ownerLayout>>;

/** Information about processes: those of this machine, and the locks of others. */
export interface Processes {
  readonly self: Owner;
  /**
   * Whether a process is alive; null if that cannot be determined from here.
   *
   * @param heartbeat what its lock holds; null if it has none
   */
  isAlive(owner: Owner, heartbeat?: string | null): boolean | null;
}

/** What a lock says. */
export interface LockState {
  readonly number: number;
  readonly owner: Owner;
  /** null in a lock of an earlier version, which does not change while its holder lives. */
  readonly heartbeat: string | null;
}

const LOCK = /^\.lock-([1-9]\d*)$/;
/** Each lock has the number after that of a process that was killed, so a higher number is damage. */
const MOST_LOCKS = 1_000_000_000;
const OWNER = "owner.json";
const HEARTBEAT = "heartbeat";
const OWNER_LIMIT = 4096;
const HEARTBEAT_LIMIT = 64;
/** All heartbeats have this many digits: a new one replaces the whole file. */
export const HEARTBEAT_DIGITS = 12;

const lockName = (number: number) => `.lock-${number}`;
export const lockPath = (run: string, number: number) => joinPath(run, lockName(number));
export const ownerFile = (lock: string) => joinPath(lock, OWNER);
export const heartbeatFile = (lock: string) => joinPath(lock, HEARTBEAT);

/** The contents of a heartbeat file after this many changes. */
export const heartbeat = (beats: number) => String(beats).padStart(HEARTBEAT_DIGITS, "0");

/** Whether a name is a lock, or the remains of one. A directory with nothing else counts as empty. */
export const isLockName = (name: string): boolean => name.startsWith(".lock-");

/** Writes the files of a lock into a folder that exists. */
export function writeLock(files: Files, lock: string, owner: Owner): void {
  files.write(ownerFile(lock), encodeOwner(owner));
  files.write(heartbeatFile(lock), new TextEncoder().encode(heartbeat(0)));
}

/** The contents of an owner file. */
export const encodeOwner = (owner: Owner): Uint8Array => encodeJSON(owner, OWNER);

/** The numbers of the locks in a run. */
export function lockNumbers(files: Files, run: string): number[] {
  const numbers = files.list(run).flatMap((name) => LOCK.exec(name)?.[1] ?? []);
  for (const number of numbers) if (Number(number) > MOST_LOCKS) throw damaged(run, `.lock-${number}`);
  return numbers.map(Number);
}

/** The locks in a run, without those that are unreadable. */
export function locksIn(files: Files, run: string): LockState[] {
  return lockNumbers(files, run).flatMap((number) => readLock(files, run, number) ?? []);
}

/**
 * null if the owner is unreadable: its bytes were lost in a power failure, or the lock is being released.
 *
 * @throws CheckpointError when it names no process
 */
export function readLock(files: Files, run: string, number: number): LockState | null {
  const lock = lockPath(run, number);
  const json = readOwnerJSON(files, lock);
  if (json === undefined) return null;
  const { data: owner } = ownerLayout.safeParse(json);
  if (owner === undefined) throw damaged(run, lockName(number));
  return { number, owner, heartbeat: readText(files, heartbeatFile(lock), HEARTBEAT_LIMIT) ?? null };
}

/** The process that is named in a folder; undefined if none is. */
export function readOwner(files: Files, folder: string): Owner | undefined {
  return ownerLayout.safeParse(readOwnerJSON(files, folder)).data;
}

/**
 * Whether a lock names this process.
 *
 * @throws CheckpointError if that cannot be read
 */
export function isHeld(files: Files, lock: string, owner: Owner): boolean {
  try {
    const found = files.read(ownerFile(lock), OWNER_LIMIT);
    return new TextDecoder().decode(found) === new TextDecoder().decode(encodeOwner(owner));
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ESTALE"].includes(causeOf(error))) return false;
    throw error;
  }
}

/** The system's code of what made a file operation fail. */
export function causeOf(error: unknown): string {
  return (error instanceof CheckpointError && errorCode(error.cause)) || "";
}

function damaged(run: string, lock: string): CheckpointError {
  return new CheckpointError(
    `${joinPath(run, lock)}: is not a lock that nopeek made; if no process trains this run, remove it`,
  );
}

function readOwnerJSON(files: Files, lock: string): unknown {
  if (files.inspect(lock)?.type === "link") return undefined;
  try {
    return JSON.parse(readText(files, ownerFile(lock), OWNER_LIMIT) ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readText(files: Files, file: string, limit: number): string | undefined {
  try {
    return new TextDecoder().decode(files.read(file, limit));
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
