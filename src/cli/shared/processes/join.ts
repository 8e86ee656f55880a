/** Joins the processes that mpirun started, as one of them. */
import { fstatSync } from "node:fs";
import { hostname } from "node:os";
import { STDIN } from "../../../data/text-files.ts";
import type { Communicator } from "../../../distributed/communicator.ts";
import { MpiCommunicator } from "../../../distributed/mpi-communicator.ts";
import { gatherTexts } from "../../../distributed/texts.ts";
import { suspend } from "../../../distributed/wait.ts";
import { ConfigError, NopeekError } from "../../../errors.ts";
import { type CommonFlags, threadsOf } from "../../options/settings-flags.ts";
import { printMessage } from "../../terminal/output.ts";
import { flagFor } from "../explain-error.ts";
import { processorMask, type Sharers } from "../usable-cpus.ts";
import { type Environment, launchOf, prepareForMpi, strangersOf } from "./launcher.ts";

/** A command that several processes can share, and what they do then. */
const SHARED = { train: "training", eval: "evaluating", ablate: "making runs" } as const;

/** Process 0 may read a large text, or save on a slow disk, while the others wait. */
const USUAL_PATIENCE_MINUTES = 30;

/** An abort ends mpirun at once. Without this pause, MPICH's may lose what it has not read yet: the message of an error. */
const OUTPUT_MS = 100;

export interface ProcessFlags extends CommonFlags {
  readonly distributed?: "mpi" | "none";
  readonly data?: readonly string[];
  readonly texts?: readonly string[];
}

/** This process as one of several that share the work of a command. */
export interface JoinedProcess<Flags extends ProcessFlags> {
  readonly communicator: Communicator;
  /** The flags, with the threads that are left to this process. */
  readonly flags: Flags;
  /** From here on the end of this process is not a failure. */
  ended(): void;
}

/**
 * Joins the other processes, if there are any, and checks that all were started alike. Whatever ends this process early
 * then ends all of them.
 *
 * @returns null if this process works alone
 * @throws ConfigError when the processes have different flags or versions, or flags that give up equal bits
 */
export async function joinProcesses<Flags extends ProcessFlags>(
  command: keyof typeof SHARED,
  flags: Flags,
  version: string,
  env: Record<string, string | undefined> = process.env,
): Promise<JoinedProcess<Flags> | null> {
  const { distributed } = flags;
  const launch = launchOf(env);
  if (distributed === "none" || (distributed === undefined && (launch?.processes ?? 2) === 1)) return null;
  if (launch === null) {
    checkAlone(env);
    if (distributed === undefined) return null;
    throw new ConfigError(
      `--distributed mpi needs several processes, and this one was started alone: start it with mpirun -n 2 npx nopeek ${command} …`,
    );
  }
  checkConnection(env.PMI_FD);
  prepareForMpi(env);
  const libraries = env.NOPEEK_MPI ? [env.NOPEEK_MPI] : launch.libraries;
  const communicator = await MpiCommunicator.open(
    libraries,
    launch.processes,
    // Runs of an ablation may differ in length by hours.
    command === "ablate" ? Number.POSITIVE_INFINITY : patienceOf(env.NOPEEK_MPI_TIMEOUT),
  );
  let hasEnded = false;
  process.once("exit", (code) => {
    if (hasEnded) communicator.close();
    else {
      suspend(OUTPUT_MS);
      communicator.abort(code || 1);
    }
  });
  const { rank, size, title } = communicator;
  const own = { version, host: hostname(), processors: processorMask(), flags: comparable(flags) };
  const texts = await gatherTexts(communicator, JSON.stringify(own));
  const all: readonly Started[] = texts.map((text) => JSON.parse(text));
  if (rank === 0) {
    checkAlike(all);
    checkSuitable(flags);
    printMessage(`${SHARED[command]} on ${size} processes, by ${title}; --distributed none turns this off`);
  }
  return {
    communicator,
    flags: { ...flags, threads: threadsOf(flags, sharersOf(own, all, launch.onHost)) },
    ended: () => {
      hasEnded = true;
    },
  };
}

/** Runs what a process other than number 0 does. Its errors say which process it is. */
export async function asProcess(
  { communicator }: Pick<JoinedProcess<ProcessFlags>, "communicator">,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (error instanceof NopeekError)
      error.message = `process ${communicator.rank} on ${hostname()}: ${error.message}`;
    throw error;
  }
}

/**
 * @throws ConfigError if srun has started several processes that cannot find each other: each would do the same work
 */
export function checkAlone(env: Environment): void {
  const tasks = strangersOf(env);
  if (tasks > 1)
    throw new ConfigError(
      `srun has started ${tasks} processes without MPI, and each would do all the work: use srun --mpi=pmix for Open MPI, or --mpi=pmi2 for MPICH and Intel MPI (srun --mpi=list shows what there is). --distributed none lets each work by itself`,
    );
}

/**
 * MPICH and Slurm's pmi2 hand a process an open connection, and npx closes it.
 *
 * @param descriptor the number of the connection; undefined if the launcher uses none
 * @throws ConfigError if it is closed: the library would end the process with an obscure message
 */
export function checkConnection(descriptor: string | undefined): void {
  if (descriptor === undefined || isSocket(Number(descriptor))) return;
  throw new ConfigError(
    "the connection to mpirun is closed, as npx does: start mpirun -n 2 node_modules/.bin/nopeek …, or with MPICH mpirun -pmi-port -n 2 npx nopeek …",
  );
}

/**
 * How many minutes a process waits for the others: the value of NOPEEK_MPI_TIMEOUT, of which 0 means without end.
 *
 * @throws ConfigError unless it is a number of at least 0
 */
export function patienceOf(timeout: string | undefined): number {
  if (timeout === undefined || timeout === "") return USUAL_PATIENCE_MINUTES;
  const minutes = Number(timeout);
  if (minutes >= 0) return minutes === 0 ? Number.POSITIVE_INFINITY : minutes;
  throw new ConfigError(`NOPEEK_MPI_TIMEOUT must be a number of minutes, at least 0: got ${timeout}`);
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

interface Started {
  readonly version: string;
  readonly host: string;
  /** As `processorMask` describes them. */
  readonly processors: string;
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * The processes that share processors with this one. Launchers may bind each to other processors.
 *
 * @param onHost by what the launcher says, which knows hosts with the same name apart
 */
export function sharersOf(own: Started, all: readonly Started[], onHost: number): Sharers {
  const same = all.filter(({ host, processors }) => host === own.host && processors === own.processors);
  return { ofProcessors: Math.min(same.length, onHost), ofQuota: onHost };
}

/** Flags that must be equal. Threads do not change the bits. */
function comparable(flags: ProcessFlags): Started["flags"] {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => name !== "threads"));
}

/** @throws ConfigError when a process was started with another version or other flags than process 0 */
export function checkAlike([first, ...others]: readonly Started[]): void {
  for (const [i, other] of others.entries()) {
    const which = `process ${i + 1} on ${other.host}`;
    if (other.version !== first.version)
      throw new ConfigError(
        `${which} runs nopeek ${other.version}, process 0 on ${first.host} nopeek ${first.version}: install the same version everywhere`,
      );
    const names = new Set([...Object.keys(first.flags), ...Object.keys(other.flags)]);
    for (const name of names) {
      const [expected, found] = [first, other].map(({ flags }) => described(name, flags[name]));
      if (expected !== found)
        throw new ConfigError(
          `${which} was started with ${found}, process 0 with ${expected}: give all the same flags`,
        );
    }
  }
}

function described(name: string, value: unknown): string {
  if (Array.isArray(value))
    return value.length === 0 ? flagFor(name, undefined) : flagFor(name, value.join(" "));
  return value === undefined ? `no ${flagFor(name, "").trim()}` : flagFor(name, value);
}

/** @throws ConfigError for flags with which several processes cannot have the same bits, or the same text */
export function checkSuitable({ backend, fast, data, texts }: ProcessFlags): void {
  if (fast === true || backend === "blas")
    throw new ConfigError(
      `${fast ? "--fast" : `--backend ${backend}`} gives other bits on other machines, and several processes must have the same: use --backend wasm`,
    );
  if ([...(data ?? []), ...(texts ?? [])].includes(STDIN))
    throw new ConfigError("several processes cannot read one standard input: name a file in --data");
}
