/** Checks that the page was built. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../../errors.ts";
import type { Asset } from "../../../play/assets.ts";

/**
 * @param root the folder of the package
 * @throws DataError if files of the page are missing
 */
export function checkFiles(root: string, assets: readonly Asset[]): void {
  const missing = assets.map(({ file }) => file).filter((file) => !existsSync(join(root, file)));
  if (missing.length === 0) return;
  const more = missing.length === 1 ? "" : ` and ${missing.length - 1} more`;
  // Sources come with the package too, but its tests do not.
  const cure = existsSync(join(root, "test")) ? "build the page with npm run build" : "install nopeek again";
  throw new DataError(`${join(root, missing[0])}${more}: a file of the page is missing; ${cure}`);
}
