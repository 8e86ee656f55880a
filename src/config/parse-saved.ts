/** Parts of the state that a checkpoint stores. */
import type * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { IN_ENGLISH } from "../util/english.ts";

/**
 * Reads one part of a saved state.
 *
 * @param layout the fields of the part
 * @returns      null if the state has none of these fields, as in a checkpoint of an earlier version
 * @throws CheckpointError when a field is missing or has a value that was never saved
 */
export function parseSaved<Fields extends z.core.$ZodShape>(
  layout: z.ZodMiniObject<Fields>,
  state: unknown,
): z.infer<z.ZodMiniObject<Fields>> | null {
  const given = Object(state);
  if (!Object.keys(layout.shape).some((name) => Object.hasOwn(given, name))) return null;
  const result = layout.safeParse(state, IN_ENGLISH);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new CheckpointError(`state.json: is damaged: ${path.join(".")}: ${message}`);
}
