/** Ranks that are processes, on one host or several, started by mpirun, srun or similar programs. */
import { NopeekError } from "../errors.ts";
import type { Communicator, Numbers } from "./communicator.ts";
import { InOrder } from "./in-order.ts";
import { integer, type MpiLibrary, openMpiLibrary } from "./mpi-library.ts";
import { waitUntil } from "./wait.ts";

export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  /** The library, for people: "Open MPI v4.1.4 (libmpi.so.40)". */
  readonly title: string;
  readonly #mpi: MpiLibrary;
  readonly #mostMinutes: number;
  readonly #messages = new InOrder();
  readonly #isDone = integer();
  /** An MPI_Status has 40 bytes at most. */
  readonly #status = new Uint8Array(new ArrayBuffer(64));

  /** Memory that the library reads or writes now, so that it is not collected. */
  readonly #inUse = new Set<readonly Numbers[]>();

  private constructor(mpi: MpiLibrary, mostMinutes: number) {
    mpi.init(0, 0);
    const [rank, size] = [integer(), integer()];
    mpi.rank(mpi.world, mpi.address(rank));
    mpi.size(mpi.world, mpi.address(size));
    this.rank = rank[0];
    this.size = size[0];
    this.title = `${mpi.title} (${mpi.file})`;
    this.#mpi = mpi;
    this.#mostMinutes = mostMinutes;
  }

  /**
   * Joins the other processes.
   *
   * @param files       names and paths of libraries, in the order in which they are tried
   * @param expected    the number of processes that were started; null if it is not known
   * @param mostMinutes how long a call waits for the other processes before it fails
   * @throws NopeekError if there is no library, or it is not the one that started the processes
   */
  static async open(
    files: readonly string[],
    expected: number | null,
    mostMinutes = Number.POSITIVE_INFINITY,
  ): Promise<MpiCommunicator> {
    const communicator = new MpiCommunicator(await openMpiLibrary(files), mostMinutes);
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
    return this.#send((request) => exchange(...from, ...to, world, request), mine, theirs);
  }

  gather(mine: Numbers, all: Numbers): Promise<void> {
    const { gather, world } = this.#mpi;
    const [from, to] = [this.#blocks(mine, 1), this.#blocks(all, this.size)];
    return this.#send((request) => gather(...from, ...to, world, request), mine, all);
  }

  broadcast(numbers: Numbers, from = 0): Promise<void> {
    const { broadcast, world } = this.#mpi;
    return this.#send((request) => broadcast(...this.#blocks(numbers, 1), from, world, request), numbers);
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

  /** Starts a message at once. Messages are awaited in the order in which they were started, and all of them move meanwhile. */
  #send(start: (request: bigint) => void, ...numbers: readonly Numbers[]): Promise<void> {
    this.#inUse.add(numbers);
    // A request is a pointer or an int.
    const request = new Uint8Array(new ArrayBuffer(8));
    start(this.#mpi.address(request));
    return this.#messages.add(async () => {
      await this.#finish(request);
      this.#inUse.delete(numbers);
    });
  }

  async #finish(handle: Uint8Array): Promise<void> {
    const { test, address } = this.#mpi;
    const [request, done, status] = [handle, this.#isDone, this.#status].map(address);
    const isDone = () => {
      test(request, done, status);
      return this.#isDone[0] !== 0;
    };
    if (!(await waitUntil(isDone, 60_000 * this.#mostMinutes)))
      throw new NopeekError(
        `no message came from the other processes in ${this.#mostMinutes} min: one of them hangs, or the network between the hosts was cut. The last checkpoint is intact. NOPEEK_MPI_TIMEOUT sets another number of minutes; 0 waits without end`,
      );
  }
}
