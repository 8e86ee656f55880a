/** Finds out by the environment whether mpirun, srun or a similar program has started this process as one of several. */

/** The value of NOPEEK_MPI with which each process works by itself. */
export const ALONE = "none";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Launch {
  /** How many processes were started; null if the launcher does not say. */
  readonly processes: number | null;
  /** How many of them are on this host; 1 if the launcher does not say. */
  readonly onHost: number;
  /** Libraries that fit the launcher, the likeliest first. */
  readonly libraries: readonly string[];
}

const STANDARD = ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.dylib"];
const OPEN_MPI = ["libmpi.so.40", "libmpi.40.dylib", "/opt/homebrew/lib/libmpi.dylib"];
/** MPICH, Intel MPI and their relatives share an ABI. Debian names the library differently. */
const MPICH = ["libmpi.so.12", "libmpich.so.12", "libmpi.12.dylib"];

/**
 * @returns null if this process was started alone
 * @example launchOf({ OMPI_COMM_WORLD_SIZE: "2" })?.processes // 2
 */
export function launchOf(env: Environment): Launch | null {
  if (env.NOPEEK_MPI === ALONE) return null;
  const count = (name: string) => {
    const number = Number(env[name]);
    return Number.isInteger(number) && number > 0 ? number : null;
  };
  if (env.OMPI_COMM_WORLD_SIZE !== undefined)
    return {
      processes: count("OMPI_COMM_WORLD_SIZE"),
      onHost: count("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1,
      libraries: [...OPEN_MPI, ...STANDARD],
    };
  const onHost = count("MPI_LOCALNRANKS") ?? slurmTasksOnHost(env) ?? 1;
  // With a port instead of an open connection, MPICH's launcher says no size.
  if (env.PMI_SIZE !== undefined || env.PMI_PORT !== undefined)
    return { processes: count("PMI_SIZE"), onHost, libraries: [...MPICH, ...STANDARD, ...OPEN_MPI] };
  if (env.PMIX_RANK === undefined && env.PMI_RANK === undefined) return null;
  const processes = count("SLURM_STEP_NUM_TASKS") ?? count("SLURM_NTASKS");
  return { processes, onHost, libraries: [...OPEN_MPI, ...STANDARD, ...MPICH] };
}

/** Sets what MPI libraries read from the environment, where the user has not. */
export function prepareForMpi(env: Record<string, string | undefined>): void {
  // UCX, which some libraries use, replaces malloc to observe memory; then V8 crashes now and then.
  env.UCX_MEM_EVENTS ??= "n";
  // Over one connection to each process, Open MPI hardly sends and receives at once: docs/cluster.md, what it costs.
  env.OMPI_MCA_btl_tcp_links ??= "2";
}

/**
 * How many tasks srun has started without an MPI that they could join; 1 if none or one.
 *
 * A batch script has SLURM_NTASKS too, but it is no task of a step.
 */
export function strangersOf(env: Environment): number {
  if (env.NOPEEK_MPI === ALONE || launchOf(env) !== null) return 1;
  return Math.max(1, Number(env.SLURM_STEP_NUM_TASKS) || 1);
}

/** The number of this process among those that were started, by what their launcher says; 0 if it was started alone. */
export function rankOf(env: Environment): number {
  if (launchOf(env) === null && strangersOf(env) === 1) return 0;
  const { OMPI_COMM_WORLD_RANK, PMI_RANK, PMI_ID, PMIX_RANK, SLURM_PROCID } = env;
  return Number(OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? PMI_ID ?? PMIX_RANK ?? SLURM_PROCID) || 0;
}

/** Whether this process is one of several. */
export function isOneOfSeveral(env: Environment): boolean {
  return (launchOf(env)?.processes ?? strangersOf(env)) > 1 || rankOf(env) > 0;
}

/** "2(x3),1" says two tasks on each of three hosts and one on a fourth. */
function slurmTasksOnHost({ SLURM_STEP_TASKS_PER_NODE: counts = "" }: Environment): number | null {
  const most = counts.split(",").reduce((most, each) => Math.max(most, Number.parseInt(each, 10) || 0), 0);
  return most > 0 ? most : null;
}
