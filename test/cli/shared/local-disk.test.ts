/** Which disks count as those of one running system. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { isOnLocalDisk } from "../../../src/cli/shared/local-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-local-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As `stat --file-system --format=%t` prints them. */
const EXT4 = 0xef53;
const NFS = 0x6969;

it.each([
  ["ext4", EXT4, true],
  ["XFS", 0x58465342, true],
  ["Btrfs", 0x9123683e, true],
  ["NFS", NFS, false],
  ["SMB", 0xfe534d42, false],
  ["CIFS", 0xff534d42, false],
  ["FUSE, as virtiofs and sshfs are", 0x65735546, false],
  ["9P", 0x01021997, false],
  ["Ceph", 0x00c36400, false],
  ["Lustre", 0x0bd00bd0, false],
  ["GPFS", 0x47504653, false],
  ["GFS2, on a disk of several systems", 0x01161970, false],
  ["OCFS2, likewise", 0x7461636f, false],
  ["an overlay, over any of them", 0x794c7630, false],
  ["Windows", 0, false],
])("%s", (_, type, local) => {
  expect(isOnLocalDisk(folder, () => type)).toBe(local);
});

it("a folder that is yet to be made is on the disk of its parent", () => {
  const asked: string[] = [];
  const found = (path: string) => {
    asked.push(path);
    if (path !== dirname(folder)) throw Object.assign(new Error(), { code: "ENOENT" });
    return EXT4;
  };
  expect(isOnLocalDisk(join(folder, "runs"), found)).toBe(true);
  expect(asked).toEqual([join(folder, "runs"), folder, dirname(folder)]);
});

it("what the system does not say is not local", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(), { code });
  };
  for (const code of ["EACCES", "EIO", "ENOSYS", "ENOENT"])
    expect(isOnLocalDisk(folder, failing(code))).toBe(false);
});

it.runIf(process.platform === "linux")("asks the system", () => {
  expect(isOnLocalDisk("/proc/self")).toBe(false);
});
