/** Adds buffers of all ranks in a fixed tree. */
import type { Backend, Buffer } from "../backend/backend.ts";
import { TreeSum } from "../util/tree-sum.ts";
import type { Communicator } from "./communicator.ts";

/** Numbers that are sent at a time; memory for twice as many is needed. */
const MOST_NUMBERS = 2 ** 20;

/** A part of a buffer. */
export interface Span {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
}

/** The spans of each rank, the same lists on every rank. A number that no span covers stays as it is. */
export type Shares = readonly (readonly Span[])[];

/**
 * Replaces buffers by their sums over all ranks: rank 0's + rank 1's + …, in the tree of `TreeSum`.
 *
 * Each rank adds one slice of the numbers: it receives that slice of every rank, adds them, and sends the sum to all. So
 * a rank sends and receives each number about twice, however many ranks there are.
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
  const slices = equalSlices(buffers, communicator.size);
  await sumAtOwners(communicator, backend, slices, most);
  await gatherFromOwners(communicator, backend, slices, most);
}

/** Replaces the numbers of this rank's share by their sums over all ranks, in the tree of `TreeSum`. */
export async function sumAtOwners(
  communicator: Communicator,
  backend: Backend,
  shares: Shares,
  most = MOST_NUMBERS,
): Promise<void> {
  const { rank, size } = communicator;
  const { slice, starts } = roundsOf(shares, most);
  if (size === 1 || slice === 0) return;
  const row = backend.alloc(size * slice);
  const received = backend.alloc(size * slice);
  const tree = new TreeSum<number>((earlier, later) => {
    const block = (of: number) => ({ buffer: received, offset: of * slice, strides: [1] });
    backend.copy(block(earlier), block(later), [slice], true);
    return earlier;
  });
  try {
    for (const start of starts) {
      for (const [to, spans] of shares.entries())
        copyBlock(backend, spans, start, blockOf(row, to, slice), "collect");
      await communicator.exchange(backend.view(row), backend.view(received));
      for (let rank = 0; rank < size; rank++) tree.push(rank);
      // The sum is where the first item was: in block 0.
      tree.take();
      copyBlock(backend, shares[rank], start, blockOf(received, 0, slice), "spread");
    }
  } finally {
    backend.free(row);
    backend.free(received);
  }
}

/** Copies the numbers of each rank's share to all other ranks. */
export async function gatherFromOwners(
  communicator: Communicator,
  backend: Backend,
  shares: Shares,
  most = MOST_NUMBERS,
): Promise<void> {
  const { rank, size } = communicator;
  const { slice, starts } = roundsOf(shares, most);
  if (size === 1 || slice === 0) return;
  const mine = backend.alloc(slice);
  const row = backend.alloc(size * slice);
  try {
    for (const start of starts) {
      copyBlock(backend, shares[rank], start, blockOf(mine, 0, slice), "collect");
      await communicator.gather(backend.view(mine), backend.view(row));
      for (const [from, spans] of shares.entries())
        if (from !== rank) copyBlock(backend, spans, start, blockOf(row, from, slice), "spread");
    }
  } finally {
    backend.free(mine);
    backend.free(row);
  }
}

/** The numbers of all buffers in slices of equal length, one for each rank; the last may be shorter. */
function equalSlices(buffers: readonly Buffer[], ranks: number): Shares {
  const slice = Math.ceil(buffers.reduce((sum, { length }) => sum + length, 0) / ranks);
  return Array.from({ length: ranks }, (_, rank) => {
    let first = -rank * slice;
    return buffers.flatMap((buffer) => {
      const offset = Math.max(0, -first);
      const length = Math.min(buffer.length, slice - first) - offset;
      first += buffer.length;
      return length > 0 ? [{ buffer, offset, length }] : [];
    });
  });
}

/** In each round, a slice of every rank's share is sent, of equal length: messages are as long for all ranks. */
function roundsOf(shares: Shares, most: number): { slice: number; starts: number[] } {
  const lengths = shares.map((spans) => spans.reduce((sum, { length }) => sum + length, 0));
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const rounds = Math.ceil((longest * shares.length) / most);
  const slice = rounds === 0 ? 0 : Math.ceil(longest / rounds);
  return { slice, starts: Array.from({ length: rounds }, (_, i) => i * slice) };
}

function blockOf(buffer: Buffer, index: number, length: number): Span {
  return { buffer, offset: index * length, length };
}

/** Copies the numbers of a share from number `start` on to a block, which they fill, or back. */
function copyBlock(
  backend: Backend,
  spans: readonly Span[],
  start: number,
  block: Span,
  direction: "collect" | "spread",
): void {
  let first = -start;
  for (const span of spans) {
    const begin = Math.max(0, -first);
    const end = Math.min(span.length, block.length - first);
    if (begin < end) {
      const inSpan = { buffer: span.buffer, offset: span.offset + begin, strides: [1] };
      const inBlock = { buffer: block.buffer, offset: block.offset + first + begin, strides: [1] };
      const [to, from] = direction === "collect" ? [inBlock, inSpan] : [inSpan, inBlock];
      backend.copy(to, from, [end - begin], false);
    }
    first += span.length;
  }
}
