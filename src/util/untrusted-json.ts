import { CheckpointError } from "../errors.ts";
import { findDuplicateKey } from "./duplicate-key.ts";
import { nestsTooDeep } from "./json-depth.ts";
import { printableJson } from "./printable.ts";

/**
 * Parses JSON that someone else wrote.
 *
 * @param where the file, for messages
 * @throws CheckpointError if it is not JSON, nests too deep, or has a key twice, of which one would be ignored
 */
export function parseUntrustedJSON(json: string, where: string): unknown {
  if (nestsTooDeep(json)) throw new CheckpointError(`${where}: nests too deep`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new CheckpointError(`${where}: is not JSON`, { cause });
  }
  const duplicate = findDuplicateKey(json);
  if (duplicate === null) return value;
  throw new CheckpointError(
    `${where}: has the key ${printableJson(duplicate.slice(0, 100))} twice in one object`,
  );
}
