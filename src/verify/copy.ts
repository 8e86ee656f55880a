/** Copies weights between models. */
import type { NamedTensors } from "../nn/parameters.ts";

/** Copies every tensor to the one of the same name and size, which may have another precision. */
export async function copyWeights(from: NamedTensors, to: NamedTensors): Promise<void> {
  for (const [name, tensor] of Object.entries(to)) {
    tensor.context.backend.write(tensor.buffer, await from[name].read());
  }
}
