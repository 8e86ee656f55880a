/**
 * The folder in which the tests of one run write, removed when the run is over. A test file removes what it made too, but
 * not if it ends early or skips all of its tests.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Set in the process that has made the folder: each project of vitest.config.ts calls `setup`. */
const MADE = "NOPEEK_TESTS_FOLDER";

/** Called by vitest before it starts the processes that run tests, which inherit TMPDIR. */
export function setup(): () => void {
  if (process.env[MADE] !== undefined) return () => {};
  const folder = mkdtempSync(join(process.env.TMPDIR ?? folderInMemory() ?? tmpdir(), "nopeek-tests-"));
  // Some tests run programs as another user.
  chmodSync(folder, 0o755);
  process.env[MADE] = folder;
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** A folder that is kept, for what later runs can use again. */
export function lastingFolder(): string {
  const made = process.env[MADE];
  return made === undefined ? tmpdir() : dirname(made);
}

/**
 * Runs flush every file, which takes a disk milliseconds, so tests write to a file system in memory if there is one with room
 * for large texts and with permission to open a library that was compiled there.
 */
function folderInMemory(): string | null {
  const folder = "/dev/shm";
  try {
    const options = new RegExp(`^\\S+ ${folder} tmpfs (\\S+)`, "m").exec(
      readFileSync("/proc/mounts", "utf8"),
    );
    const { bavail, bsize } = statfsSync(folder);
    const hasRoom = bavail * bsize >= 2 ** 31;
    return hasRoom && options !== null && !/\bnoexec\b/.test(options[1]) ? folder : null;
  } catch {
    return null;
  }
}
