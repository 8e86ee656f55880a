/** Adds buffers of all ranks in a fixed tree. */
import type { Backend, Buffer } from "../backend/backend.ts";
import { TreeSum } from "../util/tree-sum.ts";
import type { Communicator } from "./communicator.ts";

/** Numbers that are sent at a time; memory for twice as many is needed. */
const MOST_NUMBERS = 2 ** 20;

/**
 * Replaces buffers by their sums over all ranks: rank 0's + rank 1's + …, in the tree of `TreeSum`.
 *
 * The buffers are seen as one row of numbers. Each rank adds one slice of it: it receives that slice of every rank, adds
 * them, and sends the sum to all. So a rank sends and receives each number about twice, however many ranks there are.
 *
 * @param buffers of the same lengths on every rank
 * @param most    the number of numbers that are sent at a time
 */
export async function sumAcrossRanks(
  communicator: Communicator,
  backend: Backend,
  buffers: readonly Buffer[],
  most = MOST_NUMBERS,
): Promise<void> {
  const { size } = communicator;
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (size === 1 || total === 0) return;
  // Rounds of equal length: a whole row is sent in each.
  const rounds = Math.ceil(total / most);
  const slice = Math.ceil(total / rounds / size);
  const row = backend.alloc(size * slice);
  const received = backend.alloc(size * slice);
  const tree = new TreeSum<number>((earlier, later) => {
    const block = (rank: number) => ({ buffer: received, offset: rank * slice, strides: [1] });
    backend.copy(block(earlier), block(later), [slice], true);
    return earlier;
  });
  try {
    for (let start = 0; start < total; start += row.length) {
      moveRow(backend, buffers, start, row, "collect");
      await communicator.exchange(backend.view(row), backend.view(received));
      for (let rank = 0; rank < size; rank++) tree.push(rank);
      // The sum is where the first item was: in block 0.
      tree.take();
      await communicator.gather(backend.view(received).subarray(0, slice), backend.view(row));
      moveRow(backend, buffers, start, row, "spread");
    }
  } finally {
    backend.free(row);
    backend.free(received);
  }
}

/** Copies a part of the buffers, which starts at number `start` of all, to a row, or back. */
function moveRow(
  backend: Backend,
  buffers: readonly Buffer[],
  start: number,
  row: Buffer,
  direction: "collect" | "spread",
): void {
  let first = -start;
  for (const buffer of buffers) {
    const begin = Math.max(0, -first);
    const end = Math.min(buffer.length, row.length - first);
    if (begin < end) {
      const inBuffer = { buffer, offset: begin, strides: [1] };
      const inRow = { buffer: row, offset: first + begin, strides: [1] };
      const [to, from] = direction === "collect" ? [inRow, inBuffer] : [inBuffer, inRow];
      backend.copy(to, from, [end - begin], false);
    }
    first += buffer.length;
  }
}
