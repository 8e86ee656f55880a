/** The same weights in another model. */
import type { Parameters } from "../nn/parameters.ts";

/** Copies every tensor to the one of the same name and size, which may be of another precision. */
export async function copyWeights(from: Parameters, to: Parameters): Promise<void> {
  for (const [name, tensor] of Object.entries(to)) {
    tensor.context.backend.write(tensor.span, await from[name].read());
  }
}
