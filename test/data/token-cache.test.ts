/** Partial files in the token cache: those of dead processes go, those of any process that may be alive stay. */
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type CachePlace, hiddenName } from "../../src/data/token-cache.ts";
import type { Owner } from "../../src/run/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-token-cache-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const BOOT = "0f3b-91 pid:[4026531836]";
const self: Owner = { pid: 100, started: "5", machine: "trainer", boot: BOOT };

/** A cache seen by a process. It sees the processes in `alive`, and no others of its system. */
function placeOf(owner: Owner, alive: readonly number[] = []): CachePlace {
  const isAlive = (other: Owner) => {
    if (other.machine !== owner.machine || other.boot !== owner.boot) return expect.unreachable();
    return alive.includes(other.pid);
  };
  return { inMemoryBytes: 0, folder, processes: { self: owner, isAlive } };
}

/** Begins a file as a process would, and returns its name. */
function begin(owner: Owner): string {
  const path = hiddenName(placeOf(owner, [owner.pid]), "text");
  writeFileSync(path, "half");
  return basename(path);
}

const names = () => readdirSync(folder).sort();

it("removes the file of a dead process, and keeps that of a living one", () => {
  const [dead, living] = [begin({ ...self, pid: 7 }), begin({ ...self, pid: 8 })];
  expect(dead).not.toBe(living);
  // The process of `living` saw no process 7, so `dead` is gone already; it is put back.
  writeFileSync(join(folder, dead), "half");
  hiddenName(placeOf(self, [8]), "text");
  expect(names()).toEqual([living]);
});

it("keeps the file of another container with the same host name and process number", () => {
  const other = begin({ ...self, boot: "0f3b-91 pid:[4026532999]" });
  const otherBoot = begin({ ...self, boot: "77aa-02 pid:[4026531836]" });
  const own = hiddenName(placeOf(self), "text");
  expect([other, otherBoot]).not.toContain(basename(own));
  expect(names()).toEqual([other, otherBoot].sort());
});

it("removes a file of an unknown process when nothing was written to it for a day", () => {
  const kept = begin({ ...self, machine: "elsewhere" });
  const old = begin({ ...self, boot: null });
  writeFileSync(join(folder, ".text.trainer.7.partial"), "of an earlier version");
  const now = Date.now() / 1000;
  utimesSync(join(folder, old), now - 90_000, now - 90_000);
  utimesSync(join(folder, ".text.trainer.7.partial"), now - 90_000, now - 90_000);
  utimesSync(join(folder, kept), now - 80_000, now - 80_000);
  hiddenName(placeOf(self), "text");
  expect(names()).toEqual([kept]);
});
