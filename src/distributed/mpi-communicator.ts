/** Ranks that are processes, on one host or several, started by mpirun, srun or similar programs. */
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { NopeekError } from "../errors.ts";
import type { Communicator, Numbers } from "./communicator.ts";
import { integer, type MpiLibrary, openMpiLibrary } from "./mpi-library.ts";

/** Most messages arrive within this many tests, a fraction of a millisecond. */
const QUICK_TESTS = 1000;
/** After these, the other ranks are busy with something else: waiting must not take their processors. */
const PATIENT_TESTS = 20_000;

export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  /** The library, for people: "Open MPI v4.1.4 (libmpi.so.40)". */
  readonly title: string;
  readonly #mpi: MpiLibrary;
  /** A request is a pointer or an int. */
  readonly #request = new Uint8Array(new ArrayBuffer(8));
  readonly #isDone = integer();
  /** An MPI_Status has 40 bytes at most. */
  readonly #status = new Uint8Array(new ArrayBuffer(64));

  /** Memory that the library reads or writes now, so that it is not collected. */
  readonly #inUse = new Set<readonly Numbers[]>();

  private constructor(mpi: MpiLibrary) {
    mpi.init(0, 0);
    const [rank, size] = [integer(), integer()];
    mpi.rank(mpi.world, mpi.address(rank));
    mpi.size(mpi.world, mpi.address(size));
    this.rank = rank[0];
    this.size = size[0];
    this.title = `${mpi.title} (${mpi.file})`;
    this.#mpi = mpi;
  }

  /**
   * Joins the other processes.
   *
   * @param files    names and paths of libraries, in the order in which they are tried
   * @param expected the number of processes that were started; null if it is not known
   * @throws NopeekError if there is no library, or it is not the one that started the processes
   */
  static async open(files: readonly string[], expected: number | null): Promise<MpiCommunicator> {
    const communicator = new MpiCommunicator(await openMpiLibrary(files));
    const { size, title } = communicator;
    if (expected !== null && size !== expected) {
      communicator.close();
      throw new NopeekError(
        `${expected} processes were started, but ${title} sees ${size}: it is not the library of the program that started them; name that one's file in NOPEEK_MPI`,
      );
    }
    return communicator;
  }

  exchange(mine: Numbers, theirs: Numbers): Promise<void> {
    const { exchange, world } = this.#mpi;
    const [from, to] = [this.#blocks(mine, this.size), this.#blocks(theirs, this.size)];
    exchange(...from, ...to, world, this.#mpi.address(this.#request));
    return this.#finish(mine, theirs);
  }

  gather(mine: Numbers, all: Numbers): Promise<void> {
    const { gather, world } = this.#mpi;
    gather(
      ...this.#blocks(mine, 1),
      ...this.#blocks(all, this.size),
      world,
      this.#mpi.address(this.#request),
    );
    return this.#finish(mine, all);
  }

  broadcast(numbers: Numbers, from = 0): Promise<void> {
    const { broadcast, world } = this.#mpi;
    broadcast(...this.#blocks(numbers, 1), from, world, this.#mpi.address(this.#request));
    return this.#finish(numbers);
  }

  abort(exitCode: number): void {
    this.#mpi.abort(this.#mpi.world, exitCode);
  }

  close(): void {
    this.#mpi.finalize();
  }

  /** Numbers as MPI sees them: an address, the bytes of each block, their type. */
  #blocks(numbers: Numbers, count: number): [bigint, number, number | bigint] {
    return [this.#mpi.address(numbers), numbers.byteLength / count, this.#mpi.byte];
  }

  async #finish(...numbers: readonly Numbers[]): Promise<void> {
    this.#inUse.add(numbers);
    const { test, address } = this.#mpi;
    const [request, isDone, status] = [this.#request, this.#isDone, this.#status].map(address);
    for (let tests = 1; ; tests++) {
      test(request, isDone, status);
      if (this.#isDone[0] !== 0) break;
      // Signals are heard in a turn of the event loop.
      if (tests > PATIENT_TESTS) await pause(1);
      else if (tests > QUICK_TESTS) await nextTurn();
    }
    this.#inUse.delete(numbers);
  }
}
