/** Creates large texts and measures the memory that the built program uses. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
/** Only Linux reports a process's peak memory without including its parent. */
export const CAN_MEASURE = existsSync("/proc/self/status");

/**
 * Writes a text of about `bytes` bytes: copies of a base, each starting at a different position, with a distinct
 * first line.
 */
export function writeLargeText(path: string, bytes: number, base: string): void {
  const descriptor = openSync(path, "w");
  try {
    let written = 0;
    for (let copy = 1; written < bytes; copy++) {
      const start = base.indexOf("\n", (copy * 7919) % (base.length - 1)) + 1;
      const text = `Copy ${copy}.\n${base.slice(start)}${base.slice(0, start)}`;
      written += writeSync(descriptor, Buffer.from(text).subarray(0, bytes - written));
    }
  } finally {
    closeSync(descriptor);
  }
}

export interface Measured {
  readonly code: number | null;
  readonly stderr: string;
  /** Peak memory of the process (VmHWM). */
  readonly peakBytes: number;
  readonly elapsedMs: number;
}

/** Runs `nopeek` with these arguments and waits for it to exit. */
export async function measureProgram(folder: string, words: readonly (string | number)[]): Promise<Measured> {
  const startMs = performance.now();
  // The process reads its own peak on exit, because the peak is gone afterward.
  const hook =
    "import{readFileSync,writeSync}from'node:fs';process.on('exit',()=>writeSync(3,readFileSync('/proc/self/status')))";
  const options = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
  const child = spawn(process.execPath, [...options, MAIN, ...words.map(String)], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let [stderr, status] = ["", ""];
  child.stdio[2]?.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdio[3]?.on("data", (bytes: Buffer) => {
    status += bytes.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const peakKiB = Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]);
  return { code, stderr, peakBytes: peakKiB * 1024, elapsedMs: performance.now() - startMs };
}

/** The tales that come with nopeek. */
export function talesText(): string {
  return readFileSync(new URL("../../data/tales.txt", import.meta.url), "utf8");
}
