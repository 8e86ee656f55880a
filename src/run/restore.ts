/** Copies values from a checkpoint into tensors, and back. */

import { CheckpointError } from "../errors.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { formatShape, sameShape } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";
import type { StoredTensor } from "./safetensors.ts";

/**
 * Fills tensors with stored values, by name.
 *
 * @param where the file, for messages
 * @throws CheckpointError when a name is missing or unknown, or a shape differs; no tensor is changed then
 */
export function restore(
  tensors: NamedTensors,
  stored: ReadonlyMap<string, StoredTensor>,
  where: string,
): void {
  checkTypes(
    "restore",
    { tensors, stored, where },
    { tensors: "object", stored: ["get", "keys"], where: "string" },
  );
  checkFits(tensors, stored, where);
  fill(tensors, stored);
}

/** Checks stored values against the shapes of all tensors. Throws as `restore` does. */
export function checkFits(
  tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  stored: ReadonlyMap<string, StoredTensor>,
  where: string,
): void {
  for (const [name, { shape }] of Object.entries(tensors)) {
    const found = stored.get(name);
    if (found === undefined)
      throw new CheckpointError(`${where}: lacks the tensor "${name}" ${formatShape(shape)}`);
    if (!sameShape(found.shape, shape)) {
      throw new CheckpointError(
        `${where}: "${name}" should be ${formatShape(shape)}, as config.json says: got ${formatShape(found.shape)}`,
      );
    }
  }
  for (const name of stored.keys()) {
    if (!Object.hasOwn(tensors, name)) {
      throw new CheckpointError(
        `${where}: holds a tensor "${name}" that a model of this config.json does not have`,
      );
    }
  }
}

/** Fills those tensors that have a stored value, by name. They must fit. */
export function fill(tensors: NamedTensors, stored: ReadonlyMap<string, StoredTensor>): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    const found = stored.get(name);
    if (found !== undefined) tensor.context.backend.write(tensor.buffer, found.values);
  }
}

/**
 * The tensors, by name, in the form that a checkpoint stores. Where possible the values are not copied: use them before
 * the tensors change.
 */
export function storedForm(tensors: NamedTensors): Map<string, StoredTensor> {
  return new Map(
    Object.entries(tensors).map(([name, { shape, buffer, context }]) => {
      const numbers = context.backend.view(buffer);
      const values = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
      return [name, { shape, values }];
    }),
  );
}

/** Copies all tensors, by name, into the form that a checkpoint stores. */
export async function snapshot(tensors: NamedTensors): Promise<Map<string, StoredTensor>> {
  checkTypes("snapshot", { tensors }, { tensors: "object" });
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    stored.set(name, { shape: tensor.shape, values: Float32Array.from(await tensor.read()) });
  }
  return stored;
}
