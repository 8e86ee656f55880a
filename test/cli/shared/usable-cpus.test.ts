/** The number of processors that a process may use, from the files of Linux. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { usableCpus } from "../../../src/cli/shared/usable-cpus.ts";

const V2 = { "/proc/self/cgroup": "0::/\n" };
const NESTED = { "/proc/self/cgroup": "0::/kubepods/pod7/1f2e\n" };
const V1 = { "/proc/self/cgroup": "12:memory:/docker/1f2e\n4:cpu,cpuacct:/docker/1f2e\n0::/\n" };
const cpus = (mask: string) => ({
  "/proc/self/status": `Name:\tnode\nCpus_allowed:\t${mask}\nMems_allowed:\t1\n`,
});
const max = (group: string, text: string) => ({ [`/sys/fs/cgroup${group}/cpu.max`]: `${text}\n` });
const cfs = (folder: string, quota: number) => ({
  [`/sys/fs/cgroup/${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`/sys/fs/cgroup/${folder}/cpu.cfs_period_us`]: "100000\n",
});

test.each<[string, Record<string, string>, number]>([
  ["no files, as on other systems", {}, 16],
  ["no limit", { ...V2, ...max("", "max 100000"), ...cpus("ffff") }, 16],
  ["an affinity of three", { ...V2, ...cpus("8,00000005") }, 3],
  ["an affinity of more than there are", cpus("ffffffff,ffffffff"), 16],
  ["a quota of two", { ...V2, ...max("", "200000 100000") }, 2],
  ["a quota between two numbers", { ...V2, ...max("", "350000 100000") }, 3],
  ["a quota of less than one", { ...V2, ...max("", "50000 100000") }, 1],
  ["a quota of a group", { ...NESTED, ...max("/kubepods/pod7/1f2e", "500000 100000") }, 5],
  [
    "a smaller quota around it",
    { ...NESTED, ...max("/kubepods/pod7/1f2e", "500000 100000"), ...max("/kubepods", "400000 100000") },
    4,
  ],
  ["a quota of version 1", { ...V1, ...cfs("cpu,cpuacct/docker/1f2e", 300_000) }, 3],
  ["a quota of version 1, mounted as the root", { ...V1, ...cfs("cpu", 600_000) }, 6],
  ["no quota of version 1", { ...V1, ...cfs("cpu,cpuacct/docker/1f2e", -1) }, 16],
  ["quota and affinity", { ...V2, ...max("", "700000 100000"), ...cpus("1f") }, 5],
  ["files that hold something else", { ...V2, ...max("", "much"), ...cpus("none") }, 16],
])("%s", (_, files, expected) => {
  expect(usableCpus(undefined, 16, (path) => files[path] ?? null)).toBe(expected);
});

test("on this machine, it is at most what Node reports, and taskset lowers it to one", (test) => {
  expect(usableCpus()).toBeGreaterThanOrEqual(1);
  expect(usableCpus()).toBeLessThanOrEqual(availableParallelism());
  const mask = spawnSync("taskset", ["1", "cat", "/proc/self/status"], { encoding: "utf8" });
  test.skip(mask.status !== 0, "there is no taskset here");
  expect(usableCpus(undefined, 16, (path) => (path === "/proc/self/status" ? mask.stdout : null))).toBe(1);
});

test.each([
  ["that share all processors", { ofProcessors: 4, ofQuota: 4 }, cpus("ffff"), 4],
  ["bound to four processors each", { ofProcessors: 1, ofQuota: 4 }, cpus("f0"), 4],
  ["of which two share four processors", { ofProcessors: 2, ofQuota: 4 }, cpus("f0"), 2],
  [
    "bound to four processors each, with a quota of eight for all",
    { ofProcessors: 1, ofQuota: 4 },
    { ...V2, ...max("", "800000 100000"), ...cpus("f0") },
    2,
  ],
  ["that are more than the processors", { ofProcessors: 32, ofQuota: 32 }, {}, 1],
])("processes %s", (_, sharers, files: Record<string, string>, expected) => {
  expect(usableCpus(sharers, 16, (path) => files[path] ?? null)).toBe(expected);
});
