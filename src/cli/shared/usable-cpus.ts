/** How many processors this process may use at once: by its affinity, and by the quotas of its control groups. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path/posix";

/** Reads a small file; null if there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = "/sys/fs/cgroup";

/** How many processes compute side by side, this one included. */
export interface Sharers {
  /** Those that may use the same processors. */
  readonly ofProcessors: number;
  /** Those on this host, which may have one quota. */
  readonly ofQuota: number;
}

const ALONE: Sharers = { ofProcessors: 1, ofQuota: 1 };

/**
 * The number of threads that can compute at the same time. A container often shows all processors of its machine and
 * may use the time of two: more threads would wait for each other, spinning.
 *
 * @param parallelism what the system reports
 * @returns at least 1
 */
export function usableCpus(
  { ofProcessors, ofQuota }: Sharers = ALONE,
  parallelism = availableParallelism(),
  read: ReadText = readIfThere,
): number {
  const processors = Math.min(parallelism, allowedCpus(read)) / ofProcessors;
  return Math.max(1, Math.floor(Math.min(processors, quota(read) / ofQuota)));
}

/**
 * The processors that the scheduler may choose, as `taskset` and launchers of processes set them: "ff" is the first
 * eight. Empty if the system does not say. Source: proc_pid_status(5).
 */
export function processorMask(read: ReadText = readIfThere): string {
  return /^Cpus_allowed:\s*([\da-f,]+)$/m.exec(read("/proc/self/status") ?? "")?.[1] ?? "";
}

function allowedCpus(read: ReadText): number {
  const digits = processorMask(read).replaceAll(",", "");
  const bits = Array.from(digits, (digit) => BITS[Number.parseInt(digit, 16)]);
  return bits.reduce((sum, count) => sum + count, 0) || Number.POSITIVE_INFINITY;
}

/** The number of bits in each hexadecimal digit. */
const BITS = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

/** Processor time for each second of time, by the smallest quota of this control group and those around it. */
function quota(read: ReadText): number {
  const groups = (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    // "0::/user.slice" in version 2, "4:cpu,cpuacct:/docker/1f2e" in version 1. Source: cgroups(7).
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === "") return [{ mount: ROOT, path, quotaOf: quotaV2 }];
    if (!controllers?.split(",").includes("cpu")) return [];
    return [controllers, "cpu"].map((name) => ({ mount: join(ROOT, name), path, quotaOf: quotaV1 }));
  });
  const quotas = groups.flatMap(({ mount, path, quotaOf }) =>
    ancestorsOf(path).map((group) => quotaOf(read, join(mount, group))),
  );
  return quotas.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
}

/** "/a/b", "/a", "/". A container often mounts its own group as the root, so only the last one exists. */
function ancestorsOf(path: string): string[] {
  return path === "/" ? ["/"] : [path, ...ancestorsOf(dirname(path))];
}

/** cpu.max: "150000 100000", or "max 100000" */
function quotaV2(read: ReadText, group: string): number {
  const [time, period] = (read(join(group, "cpu.max")) ?? "").split(" ").map(Number);
  return ratio(time, period);
}

function quotaV1(read: ReadText, group: string): number {
  const number = (file: string) => Number(read(join(group, file)) ?? Number.NaN);
  return ratio(number("cpu.cfs_quota_us"), number("cpu.cfs_period_us"));
}

/** Without a quota, the time is "max" or −1, or the file is missing. */
function ratio(time: number, period: number): number {
  return time > 0 && period > 0 ? time / period : Number.POSITIVE_INFINITY;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
