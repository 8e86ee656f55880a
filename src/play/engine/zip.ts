/** Zip files: a run goes out as one, and comes back in one. */
import { unzipSync, zipSync } from "fflate";
import { DataError } from "../../errors.ts";
import { formatBytes, formatCount } from "../../util/format.ts";
import { printableLine } from "../../util/printable.ts";
import type { GivenFile } from "../protocol.ts";
import { MOST_FILES, MOST_RUN_BYTES } from "./limits.ts";

const SIGNATURE = [0x50, 0x4b];

/** Packs files without compressing them: weights hardly get smaller. */
export function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zipSync(Object.fromEntries(files), { level: 0 }));
}

export async function isZip(file: Blob): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, SIGNATURE.length).arrayBuffer());
  return SIGNATURE.every((byte, at) => start[at] === byte);
}

/**
 * Unpacks a zip file. Nothing is unpacked before the sizes that it states are checked, and no file gets more room than
 * it states.
 *
 * @throws DataError for one that is damaged or too large, or whose paths lead out of it
 */
export async function unzip({ path, file }: GivenFile): Promise<GivenFile[]> {
  const name = printableLine(path);
  if (file.size > MOST_RUN_BYTES)
    throw new DataError(
      `${name}: has ${formatBytes(file.size)}, and a run here may have at most ${formatBytes(MOST_RUN_BYTES)}`,
    );
  const bytes = new Uint8Array(await file.arrayBuffer());
  let [files, total] = [0, 0];
  const accept = (inner: { readonly name: string; readonly originalSize: number }) => {
    files += 1;
    total += inner.originalSize;
    if (files > MOST_FILES) throw new DataError(`${name}: holds more than ${formatCount(MOST_FILES)} files`);
    if (total > MOST_RUN_BYTES)
      throw new DataError(
        `${name}: would unpack to more than ${formatBytes(MOST_RUN_BYTES)}, and no run here may have more`,
      );
    if (/^[\\/]|^[a-z]:|(?:^|[\\/])\.\.(?:[\\/]|$)/i.test(inner.name))
      throw new DataError(`${name}: holds a file that leads out of it: ${printableLine(inner.name)}`);
    return !inner.name.endsWith("/");
  };
  try {
    const found = unzipSync(bytes, { filter: accept });
    return Object.entries(found).map(([path, content]) => ({ path, file: new Blob([content]) }));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${name}: is a damaged zip file`, { cause });
  }
}
