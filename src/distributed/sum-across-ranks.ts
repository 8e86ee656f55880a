/** Adds buffers of all ranks in a fixed tree. */
import type { Backend, Buffer } from "../backend/backend.ts";
import { TreeSum } from "../util/tree-sum.ts";
import type { Communicator } from "./communicator.ts";
import { pipeline, type Stage } from "./pipeline.ts";

/** Numbers that a rank sends at a time; memory for six times as many is needed. */
const MOST_NUMBERS = 2 ** 20;
/** Numbers of a message to one of many ranks. A shorter one takes hardly less time (docs/cluster.md, what it costs). */
const ENOUGH_NUMBERS = 2 ** 13;

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
 * @param most    the number of numbers that are sent at a time; by default a million, more among more than 128 ranks
 */
export async function sumAcrossRanks(
  communicator: Communicator,
  backend: Backend,
  buffers: readonly Buffer[],
  most?: number,
): Promise<void> {
  const slices = equalSlices(buffers, communicator.size);
  await inRounds(communicator, backend, slices, most, (stages) => [
    stages.exchange,
    (round) => {
      stages.add(round);
      return stages.gather(round);
    },
    stages.spreadAll,
  ]);
}

/** Replaces the numbers of this rank's share by their sums over all ranks, in the tree of `TreeSum`. */
export async function sumAtOwners(
  communicator: Communicator,
  backend: Backend,
  shares: Shares,
  most?: number,
): Promise<void> {
  await inRounds(communicator, backend, shares, most, (stages) => [
    stages.exchange,
    (round) => {
      stages.add(round);
      stages.spreadOwn(round);
    },
  ]);
}

/** Copies the numbers of each rank's share to all other ranks. */
export async function gatherFromOwners(
  communicator: Communicator,
  backend: Backend,
  shares: Shares,
  most?: number,
): Promise<void> {
  await inRounds(communicator, backend, shares, most, (stages) => [
    (round) => {
      stages.collectOwn(round);
      return stages.gather(round);
    },
    stages.spreadAll,
  ]);
}

/** A slice of every rank's share, and memory for it. */
interface Round {
  /** Where the slices start in the shares. */
  readonly start: number;
  /** A block for each rank: its slice. */
  readonly row: Buffer;
  /** A block from each rank: this rank's slice. Block 0 becomes their sum. */
  readonly received: Buffer;
}

/** Sends the shares in rounds. While the messages of one round are under way, those of others are computed with. */
async function inRounds(
  communicator: Communicator,
  backend: Backend,
  shares: Shares,
  most: number | undefined,
  choose: (stages: Stages) => Stage<Round>[],
): Promise<void> {
  const { slice, starts } = roundsOf(shares, most);
  if (communicator.size === 1 || slice === 0) return;
  const stages = choose(new Stages(communicator, backend, shares, slice));
  const row = () => backend.alloc(communicator.size * slice);
  // Of the rounds that a pipeline of S stages runs at a time, no two have the same number modulo S.
  const memory = stages.slice(0, starts.length).map(() => ({ row: row(), received: row() }));
  try {
    await pipeline(
      starts.map((start, i) => ({ start, ...memory[i % memory.length] })),
      stages,
    );
  } finally {
    for (const buffer of memory.flatMap(({ row, received }) => [row, received])) backend.free(buffer);
  }
}

/** What a round consists of. */
class Stages {
  readonly #communicator: Communicator;
  readonly #backend: Backend;
  readonly #shares: Shares;
  readonly #slice: number;

  constructor(communicator: Communicator, backend: Backend, shares: Shares, slice: number) {
    this.#communicator = communicator;
    this.#backend = backend;
    this.#shares = shares;
    this.#slice = slice;
  }

  /** Sends each rank its slice, and receives this rank's slice of all. */
  readonly exchange = ({ start, row, received }: Round): Promise<void> => {
    for (const to of this.#shares.keys()) this.#copy("collect", to, start, row, to);
    return this.#communicator.exchange(this.#backend.view(row), this.#backend.view(received));
  };

  readonly add = ({ received }: Round): void => {
    const { size } = this.#communicator;
    const tree = new TreeSum<number>((earlier, later) => {
      const block = (of: number) => ({ buffer: received, offset: of * this.#slice, strides: [1] });
      this.#backend.copy(block(earlier), block(later), [this.#slice], true);
      return earlier;
    });
    for (let rank = 0; rank < size; rank++) tree.push(rank);
    // The sum is where the first item was: in block 0.
    tree.take();
  };

  readonly spreadOwn = ({ start, received }: Round): void =>
    this.#copy("spread", this.#communicator.rank, start, received, 0);

  readonly collectOwn = ({ start, received }: Round): void =>
    this.#copy("collect", this.#communicator.rank, start, received, 0);

  /** Sends block 0 to all ranks, and receives theirs. */
  readonly gather = ({ row, received }: Round): Promise<void> => {
    const mine = this.#backend.view(received).subarray(0, this.#slice);
    return this.#communicator.gather(mine, this.#backend.view(row));
  };

  readonly spreadAll = ({ start, row }: Round): void => {
    for (const from of this.#shares.keys()) this.#copy("spread", from, start, row, from);
  };

  /** Copies a slice of a rank's share to a block of a row, or back. */
  #copy(direction: "collect" | "spread", rank: number, start: number, row: Buffer, block: number): void {
    const [offset, length] = [block * this.#slice, this.#slice];
    copyBlock(this.#backend, this.#shares[rank], start, { buffer: row, offset, length }, direction);
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
function roundsOf(shares: Shares, most?: number): { slice: number; starts: number[] } {
  const lengths = shares.map((spans) => spans.reduce((sum, { length }) => sum + length, 0));
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const { rounds, slice } = roundsFor(longest, shares.length, most);
  return { slice, starts: Array.from({ length: rounds }, (_, i) => i * slice) };
}

/**
 * The rounds in which shares are sent, and the numbers of a slice: what a rank sends to another in a message.
 *
 * @param longest the numbers of the longest share
 */
export function roundsFor(
  longest: number,
  ranks: number,
  most = Math.max(MOST_NUMBERS, ranks * ENOUGH_NUMBERS),
): { readonly rounds: number; readonly slice: number } {
  const rounds = Math.ceil((longest * ranks) / most);
  return { rounds, slice: rounds === 0 ? 0 : Math.ceil(longest / rounds) };
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
