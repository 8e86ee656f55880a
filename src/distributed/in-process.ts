/** Ranks that live in one process, for tests: each awaits the others. */
import { NopeekError } from "../errors.ts";
import type { Communicator, Numbers } from "./communicator.ts";
import { InOrder } from "./in-order.ts";

/** Where the ranks meet: a call ends when every rank has made it. */
class Meeting {
  readonly size: number;
  #offers: Numbers[] = [];
  #here = 0;
  #waiting: { resolve(offers: readonly Numbers[]): void; reject(reason: Error): void }[] = [];
  #aborted: Error | null = null;

  constructor(size: number) {
    this.size = size;
  }

  /** Waits for all ranks. Returns what each of them offers. */
  async meet(rank: number, offer: Numbers): Promise<readonly Numbers[]> {
    if (this.#aborted !== null) throw this.#aborted;
    this.#offers[rank] = offer;
    this.#here += 1;
    const met = new Promise<readonly Numbers[]>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (this.#here === this.size) {
      for (const { resolve } of this.#waiting) resolve(this.#offers);
      [this.#offers, this.#here, this.#waiting] = [[], 0, []];
    }
    return met;
  }

  abort(exitCode: number): void {
    this.#aborted = new NopeekError(`a rank ended the run with exit code ${exitCode}`);
    for (const { reject } of this.#waiting) reject(this.#aborted);
    this.#waiting = [];
  }
}

/**
 * Communicators of ranks that run in one process, one for each rank.
 *
 * @example
 * const [first, second] = ranksInProcess(2);
 * await Promise.all([first.broadcast(Uint8Array.of(7)), second.broadcast(bytes)]); // bytes holds 7
 */
export function ranksInProcess(size: number): Communicator[] {
  const meeting = new Meeting(size);
  return Array.from({ length: size }, (_, rank) => new RankInProcess(meeting, rank));
}

class RankInProcess implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #meeting: Meeting;
  readonly #calls = new InOrder();

  constructor(meeting: Meeting, rank: number) {
    this.#meeting = meeting;
    this.rank = rank;
    this.size = meeting.size;
  }

  exchange(mine: Numbers, theirs: Numbers): Promise<void> {
    const length = mine.length / this.size;
    return this.#copyFromAll(mine, (block, from) => {
      theirs.set(block.subarray(this.rank * length, (this.rank + 1) * length), from * length);
    });
  }

  gather(mine: Numbers, all: Numbers): Promise<void> {
    return this.#copyFromAll(mine, (block, from) => all.set(block, from * mine.length));
  }

  broadcast(numbers: Numbers, from = 0): Promise<void> {
    return this.#copyFromAll(numbers, (block, rank) => {
      if (rank === from) numbers.set(block);
    });
  }

  abort(exitCode: number): void {
    this.#meeting.abort(exitCode);
  }

  close(): void {}

  #copyFromAll(mine: Numbers, copy: (block: Numbers, from: number) => void): Promise<void> {
    return this.#calls.add(async () => {
      const offers = await this.#meeting.meet(this.rank, mine);
      for (const [from, block] of offers.entries()) copy(block, from);
      // No rank changes its numbers before all have copied them.
      await this.#meeting.meet(this.rank, mine);
    });
  }
}
