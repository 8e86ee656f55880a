import type { Tensor } from "../autograd/tensor.ts";
import type { Communicator } from "./communicator.ts";

/** Copies the numbers of rank 0's tensors to those of the others, which have the same shapes. */
export async function broadcastTensors(
  communicator: Communicator,
  tensors: readonly Tensor[],
): Promise<void> {
  for (const { buffer, context } of tensors) await communicator.broadcast(context.backend.view(buffer));
}
