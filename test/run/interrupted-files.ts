import type { Files } from "../../src/run/files.ts";

/** Files that run another action before the `at`-th operation of one process. */
export function interrupted(files: Files, at: number, happens: () => void): Files {
  let count = 0;
  const before = <Words extends unknown[], Result>(operation: (...words: Words) => Result) => {
    return (...words: Words): Result => {
      if (count++ === at) happens();
      return operation(...words);
    };
  };
  return {
    exists: before((path) => files.exists(path)),
    list: before((folder) => files.list(folder)),
    inspect: before((path) => files.inspect(path)),
    read: before((file, limit) => files.read(file, limit)),
    open: (file, limit, use) => {
      before(() => {})();
      return files.open(file, limit, use);
    },
    readPart: before((file, start, length) => files.readPart(file, start, length)),
    write: before((file, bytes) => files.write(file, bytes)),
    append: before((file, text) => files.append(file, text)),
    flush: before((file) => files.flush(file)),
    createFolder: before((folder) => files.createFolder(folder)),
    flushFolder: before((folder) => files.flushFolder(folder)),
    rename: before((from, to) => files.rename(from, to)),
    remove: before((path) => files.remove(path)),
    sha256: (contents) => files.sha256(contents),
    sha256Of: before((file, limit) => files.sha256Of(file, limit)),
  };
}
