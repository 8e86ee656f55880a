/**
 * Data-parallel training: the ranks share the parts of each step (gradient accumulation). Each computes the gradient of
 * some parts, all of them are added, and every rank makes the same update. They share the batches of an evaluation too.
 *
 * The bits do not depend on the number of ranks. Gradients are added in the tree of `TreeSum`, of which each rank
 * computes a whole subtree, and losses in the order of the parts. MPI_Allreduce would be simpler, but its order of
 * additions depends on the library and on the number of ranks.
 */
import type { Tensor } from "../autograd/tensor.ts";
import { ConfigError, NopeekError } from "../errors.ts";
import { plural } from "../util/format.ts";
import type { Communicator } from "./communicator.ts";
import { gatherInTurn, type Job, type RunJobs, runOwn } from "./jobs.ts";
import { Shards, type Tensors } from "./shards.ts";
import { sumAcrossRanks } from "./sum-across-ranks.ts";
import { broadcastNumbers } from "./tensors.ts";

/** Thrown on a rank after another rank has ended the run. */
export class RunEnded extends Error {}

/** Thrown on all ranks when jobs were given up because a rank has asked the run to end. */
export class JobsGivenUp extends Error {}

/** What a rank says with its losses; rank 0 may ask for something instead. */
const SAYS = { goOn: 0, pleaseStop: 1, ended: 2, collectState: 3 } as const;
/** What rank 0 may ask the others for between two calls that they share. */
export type Request = "collectState";
/** Numbers before the losses of a rank: what it says, and another one, such as the size of its gradient. */
const HEAD = 2;

/** When each rank updates a share of the parameters; "if even": if messages are hardly longer than without shares. */
type Sharing = "never" | "if even" | "always";

export class DataParallel {
  readonly #communicator: Communicator;
  readonly #parts: number;
  readonly #sharing: Sharing;
  readonly #answers = new Map<number, () => Promise<unknown>>();
  /** null if every rank updates all parameters. */
  #shards: Shards | null = null;
  #wantsStop = false;
  #stopWanted = false;

  /**
   * @param parts   the number of parts in a step
   * @param rows    the number of rows in a part
   * @param sharing when each rank updates a share of the parameters, and keeps the optimizer's state of those alone
   * @throws ConfigError if the ranks cannot share them; it names what would fit
   */
  constructor(communicator: Communicator, parts: number, rows: number, sharing: Sharing = "never") {
    checkShared(parts, rows, communicator.size);
    this.#communicator = communicator;
    this.#parts = parts;
    this.#sharing = sharing;
  }

  /** The parameters that this rank updates: all, or its share of them. It is called once, before the first step. */
  updatedHere(parameters: Tensors): Tensors {
    const shards = new Shards(this.#communicator, parameters);
    if (this.#sharing === "never" || (this.#sharing === "if even" && !shards.areEven)) return parameters;
    this.#shards = shards;
    return shards.own;
  }

  /** Whether each rank updates a share of the parameters. */
  get isSharded(): boolean {
    return this.#shards !== null;
  }

  /** The rank whose state of a parameter is saved: the only one that updates it, or rank 0 if all do. */
  ownerOf(parameter: string): number {
    return this.#shards?.ownerOf(parameter) ?? 0;
  }

  get rank(): number {
    return this.#communicator.rank;
  }

  /** The parts of a step that this rank computes. */
  ownParts(): readonly number[] {
    const { rank } = this.#communicator;
    return Array.from({ length: this.#share }, (_, i) => rank * this.#share + i);
  }

  /**
   * Adds the gradients of all ranks. Every rank then has the sum for the parameters that it updates.
   *
   * @param losses     of the own parts
   * @param parameters with the summed gradient of the own parts
   * @returns the losses of all parts
   * @throws RunEnded if a rank has ended the run
   */
  async share(losses: readonly number[], parameters: readonly Tensor[]): Promise<number[]> {
    const gradients = parameters.flatMap(({ gradient }) => gradient ?? []);
    const numbers = gradients.reduce((sum, { length }) => sum + length, 0);
    const said = await this.#say(numbers, losses);
    if (said.some(([, size]) => size !== numbers))
      throw new NopeekError("the ranks have gradients of different sizes: they train different models");
    if (this.#shards !== null) await this.#shards.sumGradients();
    else await sumAcrossRanks(this.#communicator, parameters[0].context.backend, gradients);
    return said.flatMap(([, , ...theirs]) => theirs);
  }

  /** One number for each parameter, in their order, from those for the parameters that each rank updates. */
  async gatherNumbers(own: readonly number[]): Promise<readonly number[]> {
    return this.#shards?.gatherNumbers(own) ?? own;
  }

  /** Copies updated parameters to the ranks that did not update them. */
  async gatherParameters(): Promise<void> {
    await this.#shards?.gatherValues();
  }

  /**
   * Shares out jobs, such as the batches of an evaluation.
   *
   * @throws JobsGivenUp on every rank, if one has asked the run to end
   * @throws RunEnded if a rank has ended the run
   */
  readonly runJobs: RunJobs = async (jobs) => {
    const own = await runOwn(this.#communicator, this.#untilStop(jobs));
    await this.#say(0);
    if (this.#stopWanted) throw new JobsGivenUp();
    return gatherInTurn(this.#communicator, own);
  };

  /**
   * The number that rank 0 gives, on every rank.
   *
   * @throws RunEnded if a rank has ended the run
   */
  async numberOfFirst(number = 0): Promise<number> {
    const [[, first]] = await this.#say(number);
    return first;
  }

  /**
   * Copies numbers from one rank to others. Every rank calls it.
   *
   * @param numbers null on a rank that needs none
   */
  async copyFrom(rank: number, length: number, numbers: Float32Array | null): Promise<void> {
    await broadcastNumbers(this.#communicator, rank, length, numbers);
  }

  /** Asks the other ranks for something, on rank 0: each does what it gave to `answer`, before its next shared call. */
  async ask(request: Request): Promise<void> {
    await this.#gather(SAYS[request], 0, []);
  }

  /** Sets what this rank does when rank 0 asks for something. */
  answer(request: Request, body: () => Promise<unknown>): void {
    this.#answers.set(SAYS[request], body);
  }

  /** Asks the run to end, from any rank. The others learn it in the next call that they share. */
  requestStop(): void {
    this.#wantsStop = true;
  }

  /** Whether a rank had asked the run to end at the last call that was shared. The same on every rank. */
  get stopRequested(): boolean {
    return this.#stopWanted;
  }

  /** Ends the run: the next call of the others throws `RunEnded`, whichever it is. */
  async end(): Promise<void> {
    await this.#gather(SAYS.ended, 0, []);
  }

  get #share(): number {
    return this.#parts / this.#communicator.size;
  }

  *#untilStop(jobs: Iterable<Job>): Generator<Job> {
    for (const job of jobs) {
      if (this.#wantsStop) return;
      yield job;
    }
  }

  /** Begins each call that the ranks share, so that all learn of a stop and of the end at the same call. */
  async #say(number: number, losses: readonly number[] = []): Promise<number[][]> {
    const said = await this.#gather(this.#wantsStop ? SAYS.pleaseStop : SAYS.goOn, number, losses);
    if (said.some(([says]) => says === SAYS.ended)) throw new RunEnded();
    const answer = this.#answers.get(said[0][0]);
    if (answer !== undefined) {
      await answer();
      return this.#say(number, losses);
    }
    this.#stopWanted = said.some(([says]) => says === SAYS.pleaseStop);
    return said;
  }

  async #gather(says: number, number: number, losses: readonly number[]): Promise<number[][]> {
    const { size } = this.#communicator;
    const mine = new Float64Array(HEAD + this.#share);
    mine.set([says, number, ...losses]);
    const all = new Float64Array(size * mine.length);
    await this.#communicator.gather(mine, all);
    return Array.from({ length: size }, (_, rank) =>
      Array.from(all.subarray(rank * mine.length, (rank + 1) * mine.length)),
    );
  }
}

/** Whether each rank gets a whole subtree: 1, 2, 4, … parts. */
function canShare(parts: number, ranks: number): boolean {
  const share = parts / ranks;
  return ranks === 1 || (Number.isInteger(share) && (share & (share - 1)) === 0);
}

function checkShared(parts: number, rows: number, ranks: number): void {
  if (canShare(parts, ranks)) return;
  const sizes = [1, 2, 4, 8].map((each) => each * ranks);
  const fitting = sizes.join(", ");
  const all = parts * rows;
  // More parts of fewer rows need less memory than fewer parts.
  const same = sizes
    .filter((size) => all % size === 0)
    .sort((a, b) => Number(a < parts) - Number(b < parts))[0];
  const fewer = Array.from({ length: ranks - 1 }, (_, i) => i + 1).filter((count) => canShare(parts, count));
  throw new ConfigError(
    `${ranks} processes cannot share the ${plural(parts, "part")} of a step (\`gradAccumulation\` ${parts}): each needs 1, 2, 4, 8, … parts, so that the sum has the same bits on any number of processes. ` +
      `For ${ranks} processes \`gradAccumulation\` can be ${fitting}, …; it can stay ${parts} with ${fewer.join(" or ")} ${fewer.at(-1) === 1 ? "process" : "processes"}. ${same === undefined ? "A step reads `batchSize` × `gradAccumulation` rows" : `To keep the ${all} rows of a step, use \`gradAccumulation\` ${same} and \`batchSize\` ${all / same}`}`,
  );
}
