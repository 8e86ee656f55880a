/** Numbers that are computed by jobs: by one process, or shared out among ranks. */
import { NopeekError } from "../errors.ts";
import type { Communicator } from "./communicator.ts";

/** Computes a number. */
export type Job = () => Promise<number>;

/** Runs jobs, each on one process. Returns their numbers in the order of the jobs, on every process. */
export type RunJobs = (jobs: Iterable<Job>) => Promise<number[]>;

/** Runs all jobs on this process. */
export const runHere: RunJobs = async (jobs) => {
  const numbers: number[] = [];
  for (const job of jobs) numbers.push(await job());
  return numbers;
};

/**
 * Runs job i on rank i mod R.
 *
 * @example
 * const squares = await runOnRanks(communicator)([async () => 1, async () => 4]); // [1, 4] on every rank
 */
export const runOnRanks =
  (communicator: Communicator): RunJobs =>
  async (jobs) =>
    gatherInTurn(communicator, await runOwn(communicator, jobs));

/** The numbers of a rank's jobs, and how many jobs all ranks have. */
export interface OwnNumbers {
  readonly numbers: readonly number[];
  readonly jobs: number;
}

/** Runs every R-th job: the work of each rank is nearly equal, and the number of jobs need not be known before. */
export async function runOwn(
  { rank, size }: Pick<Communicator, "rank" | "size">,
  jobs: Iterable<Job>,
): Promise<OwnNumbers> {
  const numbers: number[] = [];
  let count = 0;
  for (const job of jobs) if (count++ % size === rank) numbers.push(await job());
  return { numbers, jobs: count };
}

/** @throws NopeekError if the ranks have different numbers of jobs */
export async function gatherInTurn(
  communicator: Communicator,
  { numbers, jobs }: OwnNumbers,
): Promise<number[]> {
  const { size } = communicator;
  const counts = new Float64Array(size);
  await communicator.gather(Float64Array.of(jobs), counts);
  if (counts.some((count) => count !== jobs))
    throw new NopeekError(`the ranks have different numbers of jobs to share: ${counts.join(", ")}`);
  const mine = new Float64Array(Math.ceil(jobs / size));
  mine.set(numbers);
  const all = new Float64Array(size * mine.length);
  if (all.length > 0) await communicator.gather(mine, all);
  return Array.from({ length: jobs }, (_, i) => all[(i % size) * mine.length + Math.floor(i / size)]);
}
