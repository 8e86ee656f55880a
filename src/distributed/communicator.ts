/**
 * Messages between the processes of one training run. Types only: `in-process.ts` and `mpi-communicator.ts` implement
 * them.
 *
 * Every rank makes the same calls in the same order, with the same lengths. A call may be made before earlier ones have
 * ended; calls end in the order in which they were made. A communicator only moves numbers: what adds them decides the
 * order, and with it the bits.
 */

/** Numbers in memory, all of one type. Messages are sent from it and arrive in it without a copy. */
export type Numbers = Float32Array | Float64Array | Uint8Array;

export interface Communicator {
  /** The number of this process, from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /**
   * Sends block r of `mine` to rank r, and receives a block from each rank: block r of `theirs` is from rank r.
   *
   * @param mine   as many blocks of equal length as there are ranks
   * @param theirs as long as `mine`
   */
  exchange(mine: Numbers, theirs: Numbers): Promise<void>;
  /**
   * Collects a block from each rank, on every rank.
   *
   * @param all as many blocks as there are ranks, each as long as `mine`; block r is from rank r
   */
  gather(mine: Numbers, all: Numbers): Promise<void>;
  /** Copies the numbers of one rank, by default rank 0, to all others. */
  broadcast(numbers: Numbers, from?: number): Promise<void>;
  /** Ends every process of the run at once, with this exit code. */
  abort(exitCode: number): void;
  /** Leaves the run in good order. Every rank calls it last. */
  close(): void;
}
