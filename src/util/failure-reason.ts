/** Failures of the operating system, explained. */

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space, or use a folder on another disk",
  EDQUOT: "your disk quota is used up; free some space, or use a folder on another disk",
  EACCES: "permission denied; use a folder that you may read and write",
  EPERM: "permission denied; use a folder that you may read and write",
  EROFS: "the file system is read-only; use a folder on another one",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file of that name already exists",
  EISDIR: "it is a folder, not a file",
  ELOOP: "it is a link, which may lead anywhere; put a file in its place",
  EMLINK: "it is a link, which may lead anywhere; put a file in its place",
  ENXIO: "it is a pipe or a device, not a file",
  ENOENT: "it is not there",
};

/** Why a file operation failed and what would help; null if the error does not come from the system. */
export function failureReason(error: unknown): string | null {
  const code = errorCode(error);
  if (!(error instanceof Error) || code === null) return null;
  return REASONS[code] ?? error.message;
}

/** The code of a system error, such as "ENOSPC"; null for any other error. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
