import type { Tensor } from "../autograd/tensor.ts";
import type { Communicator } from "./communicator.ts";

/** Copies the numbers of rank 0's tensors to those of the others, which have the same shapes. */
export async function broadcastTensors(
  communicator: Communicator,
  tensors: readonly Tensor[],
): Promise<void> {
  for (const { buffer, context } of tensors) await communicator.broadcast(context.backend.view(buffer));
}

/** Numbers that are sent at a time. */
const MOST_NUMBERS = 2 ** 20;

/**
 * Copies numbers from one rank to others, in pieces.
 *
 * @param numbers null on a rank that needs none: it receives each piece into spare memory
 */
export async function broadcastNumbers(
  communicator: Communicator,
  from: number,
  length: number,
  numbers: Float32Array | null,
  most = MOST_NUMBERS,
): Promise<void> {
  const unused = numbers === null ? new Float32Array(Math.min(length, most)) : null;
  for (let start = 0; start < length; start += most) {
    const end = Math.min(length, start + most);
    const piece = numbers?.subarray(start, end) ?? unused?.subarray(0, end - start);
    if (piece !== undefined) await communicator.broadcast(piece, from);
  }
}
