// @ts-check
/**
 * Shows other hosts that the holder of a lock is alive (lease.ts). A thread does it, because steps, evaluations and
 * saves can keep the event loop of the program from running for minutes.
 *
 * If the lock is not this process's any more, it stops: it must not keep the lock of another alive.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

/** @type {{ ownerFile: string, owner: string, heartbeatFile: string, beatMs: number, digits: number }} */
const { ownerFile, owner, heartbeatFile, beatMs, digits } = workerData;
const { O_WRONLY, O_NOFOLLOW = 0 } = constants;
let beats = 0;

const timer = setInterval(() => {
  try {
    if (readFileSync(ownerFile, "utf8") !== owner) return clearInterval(timer);
    // Never created anew: the folder may be removed at this moment. Closed each time, so that NFS shows it to others.
    const descriptor = openSync(heartbeatFile, O_WRONLY | O_NOFOLLOW);
    try {
      writeSync(descriptor, String(++beats).padStart(digits, "0"), 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // The disk did not answer: the next beat may reach it.
  }
}, beatMs);
