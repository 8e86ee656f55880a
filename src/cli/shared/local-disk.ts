/** Whether a disk belongs to one running system. */
import { statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorCode } from "../../util/failure-reason.ts";

/**
 * File systems that two systems cannot use at once: each would destroy what the other writes. All others, such as NFS,
 * FUSE, virtiofs and overlays, may be shared. Source: linux/magic.h and the sources of ZFS.
 */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
]);

/** The number by which Linux names the type of a file system. */
const typeOf = (path: string): number => statfsSync(path).type;

/**
 * Whether a folder is on a file system that only one system can use at a time. A folder that does not exist is on that
 * of its parent. False on systems other than Linux, and if the system does not say.
 *
 * A server sees its own disk so, although others may reach it over a network: ask the other side, too.
 */
export function isOnLocalDisk(folder: string, type = typeOf): boolean {
  const path = resolve(folder);
  try {
    return LOCAL.has(type(path));
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return code === "ENOENT" && dirname(path) !== path && isOnLocalDisk(dirname(path), type);
  }
}
