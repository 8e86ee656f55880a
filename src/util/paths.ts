/**
 * Paths of a run, as pure functions that also work in a browser. A slash joins on every system. Names are also split
 * at a backslash, which separates folders in Windows.
 */

/** Joins parts of a path with slashes. Empty parts are left out. */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== "")
    .reduce((path, part) => (path === "" || /[\\/]$/.test(path) ? path + part : `${path}/${part}`), "");
}

/** The folder that holds the last part of a path: "." for a bare name. A separator at the end does not count. */
export function parentPath(path: string): string {
  const [, parent = "."] = /^(.*[\\/]|)[^\\/]*$/s.exec(withoutEnd(path)) ?? [];
  return parent === "" ? "." : withoutEnd(parent);
}

/** The last part of a path. A separator at the end does not count. */
export function lastPart(path: string): string {
  return /[^\\/]*$/.exec(withoutEnd(path))?.[0] ?? "";
}

/** A path without separators at its end; a root keeps one. */
export function withoutEnd(path: string): string {
  return /^(.+?)[\\/]*$/s.exec(path)?.[1] ?? path;
}
